"""The Python packages of the Spark image, and the requirements that install them here.

`python -m helpers.spark.image_packages` prints these requirements for `make lock`. With the arguments `COMMIT
smsparkbuild/py312/Pipfile.runtime.lock`, it creates the data file from the image's own lock, which is in
aws/sagemaker-spark-container.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from helpers.files import write_atomically

PACKAGES = Path(__file__).with_name("image_packages.json")
NOT_LOCKED = ("pipenv", "setuptools", "wheel")
"""Packages that the image's Dockerfile installs in their newest version."""
_NO_WHEELS_FROM = {"numpy": "3.13"}
"""The first Python without wheels of the image's version; the newest version is installed there."""


@dataclass(frozen=True)
class ImagePackages:
    """The packages of the image's Python: versions by normalized name."""

    source: str
    python: str
    packages: Mapping[str, str]


@cache
def image_packages() -> ImagePackages:
    """Return the packages in the data file."""
    return ImagePackages(**json.loads(PACKAGES.read_bytes()))


def requirements() -> Iterator[str]:
    """Yield the requirements of an environment like the image's, one per line."""
    for name, version in image_packages().packages.items():
        if python := _NO_WHEELS_FROM.get(name):
            yield f'{name}=={version} ; python_version < "{python}"'
            yield f'{name} ; python_version >= "{python}"'
        else:
            yield f"{name}=={version}"
    yield from NOT_LOCKED


def normalized(name: str) -> str:
    """Return the normalized name of a package, as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def document_of(commit: str, lock: str) -> dict[str, Any]:
    """Return the content of the data file for a pipenv lock."""
    locked = json.loads(lock)
    return {
        "source": f"smsparkbuild/py312/Pipfile.runtime.lock of aws/sagemaker-spark-container {commit}",
        "python": locked["_meta"]["requires"]["python_version"],
        "packages": {
            normalized(name): package["version"].removeprefix("==")
            for name, package in sorted(locked["default"].items())
            if "version" in package
        },
    }


def _main(*arguments: str) -> None:
    if not arguments:
        print(*requirements(), sep="\n")
        return
    commit, lock = arguments
    document = document_of(commit, Path(lock).read_text(encoding="utf-8"))
    write_atomically(PACKAGES, json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    _main(*sys.argv[1:])
