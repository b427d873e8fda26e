"""How logs describe the differences between the environment of jobs and the image's Python."""

import sys
from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.local_aws.spark_container import job_python
from helpers.local_aws.spark_container.job_python import JobPython
from helpers.spark.image_packages import ImagePackages

IMAGE = ImagePackages("a lock", "3.12", {"numpy": "1.26.4", "typing-extensions": "4.14.0"})


def environment(folder: Path, python: str, *packages: str) -> JobPython:
    for package in packages:
        name, _, version = package.partition("-")
        metadata = folder / "lib" / f"python{python}" / "site-packages" / f"{package}.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return JobPython(folder)


@pytest.mark.parametrize(
    ("python", "packages", "differences"),
    [
        ("3.12", ["numpy-1.26.4", "typing_extensions-4.14.0"], "Python 3.12 with the packages of the image"),
        (
            "3.13",
            ["numpy-2.5.5", "typing_extensions-4.14.0"],
            "Python 3.13 (the image: 3.12) with the packages of the image, "
            "but numpy 2.5.5 (the image: 1.26.4)",
        ),
        (
            "3.12",
            ["numpy-1.26.4"],
            "Python 3.12 with the packages of the image, but no typing-extensions (the image: 4.14.0)",
        ),
    ],
)
def test_what_differs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str, packages: list[str], differences: str
) -> None:
    monkeypatch.setattr(job_python, "image_packages", lambda: IMAGE)

    assert environment(tmp_path, python, *packages).differences() == differences


def test_an_environment_that_is_not_installed_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))

    with pytest.raises(
        UserError, match=rf"{tmp_path}/job, .* is not installed\nHint: Install it with: make up"
    ):
        job_python.job_python()
