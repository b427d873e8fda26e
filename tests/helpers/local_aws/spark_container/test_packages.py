"""Packages of a job: the image's wheels if they run, otherwise the same versions for this machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.local_aws.spark_container import packages
from helpers.local_aws.spark_container.job_python import JobPython, job_python
from helpers.spark.packages.bundle import Manifest, read_manifest
from helpers.spark.packages.layout import MANIFEST, PYTHON
from tests.helpers.spark.packages.wheel_index import IMAGE_TAG, add_wheel, index

__all__ = ["index"]
HERE = f"cp{sys.version_info[0]}{sys.version_info[1]}"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_input(folder: Path, python: str, *requirements: str) -> Path:
    """Write a job's input with a manifest; return the value of PYTHONPATH."""
    (folder / PYTHON).mkdir(parents=True)
    manifest = {
        "python": python,
        "platform": "x86_64-manylinux_2_34",
        "requirements": requirements,
        "files": {},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder / PYTHON


def imported(path: str, module: str) -> bool:
    """Return whether the Python of jobs can import a module with a PYTHONPATH."""
    command = [str(job_python().program), "-c", f"import {module}"]
    return subprocess.run(command, env={"PYTHONPATH": path}, check=False, capture_output=True).returncode == 0


def test_other_folders_are_left_as_they_are(tmp_path: Path) -> None:
    path = f"{tmp_path}:/nowhere:{write_input(tmp_path / 'nothing', '2.7')}"

    assert packages.python_path(path, job_python(), print) == path


def test_the_wheels_of_the_image_are_used_where_they_run() -> None:
    manifest = Manifest("3.12", "x86_64-manylinux_2_34", (), {})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packages.sysconfig, "get_platform", lambda: "linux-x86_64")
        patch.setattr(packages.platform, "libc_ver", lambda: ("glibc", "2.36"))
        assert packages.fits(manifest, "3.12")
        assert not packages.fits(manifest, "3.11")
        patch.setattr(packages.platform, "libc_ver", lambda: ("glibc", "2.31"))
        assert not packages.fits(manifest, "3.12")
        patch.setattr(packages.platform, "libc_ver", lambda: ("", ""))
        assert not packages.fits(manifest, "3.12"), "macOS has no glibc"
        patch.setattr(packages.sysconfig, "get_platform", lambda: "linux-aarch64")
        patch.setattr(packages.platform, "libc_ver", lambda: ("glibc", "2.36"))
        assert not packages.fits(manifest, "3.12")


def test_another_python_gets_the_same_versions_once_and_for_this_job_only(
    index: Path, tmp_path: Path, cache: Path
) -> None:
    hashes = [add_wheel(index, "native", tag) for tag in (IMAGE_TAG, "py3-none-any")]
    add_wheel(index, "native", "py3-none-any", version="2.0")
    requirement = " ".join(["native==1.0", *(f"--hash={each}" for each in hashes)])
    given = write_input(tmp_path / "job", "2.7", requirement)
    log: list[str] = []

    path = packages.python_path(f"/first:{given}", job_python(), log.append)

    first, found = path.split(":")
    assert first == "/first"
    assert (Path(found) / "native-1.0.dist-info").is_dir()
    assert imported(path, "native")
    assert not imported("", "native"), "a job that does not bring it does not have it"
    assert "1 packages for Python" in log[0]
    for wheel in index.rglob("*.whl"):
        wheel.unlink()
    assert packages.python_path(f"/first:{given}", job_python(), log.append) == path
    assert not list(cache.rglob("tmp*")), "nothing is left of the installation"


def test_a_version_without_a_wheel_for_this_machine_is_named(
    index: Path, tmp_path: Path, cache: Path
) -> None:
    digest = add_wheel(index, "native", "cp27-cp27m-win32")
    given = write_input(tmp_path / "job", "2.7", f"native==1.0 --hash={digest}")

    with pytest.raises(
        UserError, match=r"^packages\.json:1: native==1\.0: .*no wheels.*\nHint: Install Python 3"
    ):
        packages.python_path(str(given), job_python(), print)


def test_the_version_of_the_python_is_that_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "lib" / "python3.12" / "site-packages").mkdir(parents=True)

    assert JobPython(tmp_path).version == "3.12"
    assert read_manifest('{"python": "3.12", "platform": "p", "requirements": [], "files": {}}').pins == []
