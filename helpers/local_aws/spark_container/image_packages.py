"""The Python packages of the Spark image, and a job's Python that sees no others.

The data file is made of the image's own lock, of aws/sagemaker-spark-container:
`python -m helpers.local_aws.spark_container.image_packages COMMIT smsparkbuild/py312/Pipfile.runtime.lock`
"""

import json
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from helpers.files import write_atomically

PACKAGES = Path(__file__).with_name("image_packages.json")
_NOT_LOCKED = ("pipenv", "setuptools", "wheel")
"""What the image's Dockerfile installs in whatever version is the newest."""
_OF_SPARK = ("py4j", "pyspark")
"""In the image these come with Spark, outside of Python's packages."""
_OF_DATA = ("numpy", "pandas")
"""Whose versions a job is most likely to notice."""

_SITE_CUSTOMIZE = '''\
"""Hide the packages that the Spark image does not have; a module that a job ships itself is found."""

import site
import sys
from importlib.machinery import PathFinder

HIDDEN = frozenset({hidden!r})
SITE = frozenset(site.getsitepackages())


class ImagePathFinder(PathFinder):
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if path is None and fullname in HIDDEN:
            path = [entry for entry in sys.path if entry not in SITE]
        return super().find_spec(fullname, path, target)


sys.meta_path[:] = [ImagePathFinder if each is PathFinder else each for each in sys.meta_path]
'''


def write_site_customize(folder: Path) -> None:
    """Write the module that a Python with this folder in its PYTHONPATH runs first."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = sorted(hidden_modules())
    (folder / "sitecustomize.py").write_text(_SITE_CUSTOMIZE.format(hidden=hidden))


@cache
def hidden_modules() -> frozenset[str]:
    """Return the modules of the packages here that the image has not, by their first names."""
    allowed = _with_requirements({*image_versions(), *_NOT_LOCKED, *_OF_SPARK})
    return frozenset(
        module
        for module, packages in metadata.packages_distributions().items()
        if not allowed.intersection(map(_normalized, packages))
    )


def differences() -> str:
    """Return how the Python of jobs differs from the image's, for their logs."""
    packages = image_versions()
    versions = [_difference(name, metadata.version(name), packages[name]) for name in _OF_DATA]
    python = _difference("Python", ".".join(platform.python_version_tuple()[:2]), _document()["python"])
    return f"{python} with the packages that the image has; {', '.join(versions)}"


def _difference(name: str, here: str, image: str) -> str:
    return f"{name} {here}" if here == image else f"{name} {here} (the image: {image})"


def image_versions() -> Mapping[str, str]:
    """Return the versions of the image's packages by their normalized names."""
    return dict(_document()["packages"])


def _with_requirements(names: set[str]) -> set[str]:
    """Return packages with what they require in the versions that are installed here."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += _requirements(name)
    return found


def _requirements(name: str) -> Iterator[str]:
    try:
        required = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for requirement in required:
        if "extra ==" not in requirement and (match := re.match(r"[\w.-]+", requirement)):
            yield _normalized(match[0])


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _document() -> Mapping[str, Any]:
    return dict(json.loads(PACKAGES.read_bytes()))


def document_of(commit: str, lock: str) -> dict[str, Any]:
    """Return the data file for a lock of pipenv."""
    locked = json.loads(lock)
    return {
        "source": f"smsparkbuild/py312/Pipfile.runtime.lock of aws/sagemaker-spark-container {commit}",
        "python": locked["_meta"]["requires"]["python_version"],
        "packages": {
            _normalized(name): package["version"].removeprefix("==")
            for name, package in sorted(locked["default"].items())
            if "version" in package
        },
    }


def _main(commit: str, lock: str) -> int:
    document = document_of(commit, Path(lock).read_text(encoding="utf-8"))
    write_atomically(PACKAGES, json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
