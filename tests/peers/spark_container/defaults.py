"""The files of the image for Spark and Hadoop, and their equivalents in the embedded AWS."""

from collections.abc import Mapping
from pathlib import Path

from helpers.local_aws.spark_container.image_defaults import CORE_SITE, SPARK_DEFAULTS
from tests.peers.spark_container.readers import FileReader

FOLDER = "spark/processing/3.5/py3/hadoop-config"
_FILES = {"spark-defaults.conf": SPARK_DEFAULTS, "core-site.xml": CORE_SITE}


def differences(checkout: Path, reader: FileReader) -> tuple[list[str], Mapping[str, str]]:
    """Return the names of all properties with their file, and the differences."""
    names, found = [], {}
    for file, here in _FILES.items():
        image = reader.read(file, (checkout / FOLDER / file).read_text(encoding="utf-8"))
        for name in sorted({*image, *here}):
            names.append(f"{file}: {name}")
            if image.get(name) != here.get(name):
                found[names[-1]] = f"{image.get(name)!r} in the image, {here.get(name)!r} here"
    return names, found
