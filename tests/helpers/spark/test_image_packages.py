"""The packages of the image, as requirements of the environment that jobs run in."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from helpers.spark.image_packages import (
    NOT_LOCKED,
    document_of,
    image_packages,
    requirements,
)

OF_NOT_LOCKED = {"distlib", "platformdirs", "python-discovery", "virtualenv"}
"""Requirements of the newest pipenv, setuptools and wheel that are not in the image's lock."""


def pins(file: Path) -> Iterator[tuple[str, str]]:
    """Yield name and version of the packages that a requirements file installs on Linux, with any Python."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if (pin := re.match(r"([\w-]+)==([^ ;]+)(.*)", line)) and "== 'win32'" not in pin[3]:
            yield pin[1], pin[2]


def test_the_lock_file_is_that_of_the_image(repository: Path) -> None:
    locked: dict[str, set[str]] = {}
    for name, version in pins(repository / "requirements-job.txt"):
        locked.setdefault(name, set()).add(version)

    image = image_packages().packages
    assert [f"{name}=={version}" for name, version in image.items() if version not in locked[name]] == []
    assert locked.keys() - image.keys() == {*NOT_LOCKED, *OF_NOT_LOCKED}, "requirements of others: make lock"
    assert {name for name, versions in locked.items() if len(versions) > 1} == {"numpy"}


def test_a_package_without_wheels_for_a_newer_python_is_newer_there() -> None:
    assert [line for line in requirements() if line.startswith("numpy")] == [
        'numpy==1.26.4 ; python_version < "3.13"',
        'numpy ; python_version >= "3.13"',
    ]


@pytest.fixture
def lock() -> Mapping[str, object]:
    return {
        "_meta": {"requires": {"python_version": "3.12"}},
        "default": {
            "Typing_Extensions": {"version": "==4.14.0", "hashes": ["sha256:0"]},
            "smspark": {"editable": True, "path": "."},
        },
    }


def test_the_data_file_is_made_of_a_lock(lock: Mapping[str, object]) -> None:
    document = document_of("abc", json.dumps(lock))

    assert document["packages"] == {"typing-extensions": "4.14.0"}
    assert document["python"] == "3.12"
    assert document["source"].endswith("aws/sagemaker-spark-container abc")
