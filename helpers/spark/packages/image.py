"""The packages of the Spark image, which jobs do not install, and its modules, which nothing may shadow."""

import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from helpers.spark.image_packages import NOT_LOCKED, image_packages

PLATFORM = "x86_64-manylinux_2_34"
"""Amazon Linux 2023 on x86-64, in uv's notation with its glibc version."""
SPARK_PACKAGES = {"pyspark": "3.5.6", "py4j": "0.10.9.7"}
"""The packages that are part of Spark in SPARK_HOME: EMR 7.12 in version 1.3 of the image."""
MODULES = Path(__file__).with_name("image_modules.json")

_OF_THE_CONTAINER = {
    "pyspark": "Spark",
    "py4j": "Spark",
    "smspark": "the image",
    **dict.fromkeys(("sitecustomize", "usercustomize"), "Python's start"),
}


def python_version() -> str:
    """Return the version of the image's Python, such as 3.12."""
    return image_packages().python


def provided() -> Mapping[str, str | None]:
    """Return the version of each package of the image; None if the image installs the newest."""
    return {**dict.fromkeys(NOT_LOCKED), **image_packages().packages, **SPARK_PACKAGES}


@cache
def modules() -> Mapping[str, str]:
    """Return the origin of each importable name in the container, such as `numpy 1.26.4`."""
    of_packages = {
        module: f"the image's {package}" for module, package in json.loads(MODULES.read_bytes()).items()
    }
    return {
        **dict.fromkeys(sys.stdlib_module_names, "the standard library"),
        **of_packages,
        **_OF_THE_CONTAINER,
    }
