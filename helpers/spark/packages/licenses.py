"""The licenses of packages and jars, from their metadata and POMs."""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

from packaging.utils import canonicalize_name

LICENSES = "licenses.txt"
UNKNOWN = "not stated"
_CLASSIFIER = "License :: "


def of_wheels(folder: Path) -> dict[str, str]:
    """Return the license of each distribution in a folder, by name and version."""
    return {
        f"{canonicalize_name(each.name)}=={each.version}": _of_wheel(each)
        for each in metadata.distributions(path=[str(folder)])
    }


def of_module(description: Path) -> str:
    """Return the licenses in Ivy's description of a module, which Ivy creates from the POM."""
    root = ElementTree.fromstring(description.read_bytes())  # noqa: S314 -- Ivy wrote it
    names = [each.get("name", "") for each in root.iterfind("info/license")]
    return ", ".join(filter(None, names)) or UNKNOWN


def write_licenses(found: Mapping[str, str]) -> str:
    """Return the list of licenses as text, one package or jar per line."""
    lines = [f"{name}: {stated}\n" for name, stated in sorted(found.items())]
    return "".join(
        ["# Made by `make lock-packages`: the licenses of the packages and jars of steps.\n", *lines]
    )


def _of_wheel(distribution: metadata.Distribution) -> str:
    def stated(field: str) -> list[str]:
        return [str(value) for value in distribution.metadata.get_all(field) or []]

    classifiers = [each for each in stated("Classifier") if each.startswith(_CLASSIFIER)]
    # The last field can contain the whole license text.
    texts = [text.strip().splitlines()[0] for text in stated("License") if text.strip()]
    named = stated("License-Expression") or [each.rpartition(" :: ")[2] for each in classifiers] or texts
    return ", ".join(named) or UNKNOWN
