"""Unpacking locked wheels: those that differ from the lock or would break the container are rejected."""

import json
from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.spark.packages import image
from helpers.spark.packages.image_modules import modules_of, site_packages_of_jobs
from helpers.spark.packages.licenses import of_wheels, write_licenses
from helpers.spark.packages.requirements import Pin
from helpers.spark.packages.wheels import unpack_for_image
from tests.helpers.spark.packages.wheel_index import IMAGE_TAG, add_wheel


def pin(name: str, *hashes: str, line: int = 7) -> Pin:
    return Pin("requirements-rates.txt", line, name, "1.0", hashes)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_the_wheel_for_the_image_gives_the_same_files_everywhere(index: Path, tmp_path: Path) -> None:
    wanted = pin("native", add_wheel(index, "native", IMAGE_TAG))
    add_wheel(index, "native", "cp311-cp311-manylinux_2_28_x86_64", module="native/other.py")

    unpack_for_image([wanted], tmp_path / "one")
    unpack_for_image([wanted], tmp_path / "other")

    found = files(tmp_path / "one")
    assert found == files(tmp_path / "other")
    assert "native/__init__.py" in found
    assert "native/other.py" not in found
    assert not any(name.startswith(("bin/", ".")) for name in found), "scripts name a Python of this machine"
    assert b"bin/" not in found["native-1.0.dist-info/RECORD"]


def test_a_wheel_with_another_hash_is_rejected(index: Path, tmp_path: Path) -> None:
    add_wheel(index, "pure")

    with pytest.raises(
        UserError, match=r"^requirements-rates\.txt:7: pure==1\.0: .*[Hh]ash.*\nHint: Find out why"
    ):
        unpack_for_image([pin("pure", f"sha256:{'0' * 64}")], tmp_path / "folder")


def test_a_wheel_for_another_platform_is_rejected(index: Path, tmp_path: Path) -> None:
    good = pin("pure", add_wheel(index, "pure"), line=3)
    foreign = pin("foreign", add_wheel(index, "foreign", "cp312-cp312-win_amd64"))

    with pytest.raises(
        UserError, match=r"^requirements-rates\.txt:7: foreign==1\.0: .*\nHint: .*make lock-packages"
    ):
        unpack_for_image([good, foreign], tmp_path / "folder")


def test_an_index_that_does_not_answer_is_reported_with_the_line(no_index: None, tmp_path: Path) -> None:
    pins = [pin("pure", f"sha256:{'0' * 64}")]

    with pytest.raises(
        UserError, match=r"^requirements-rates\.txt:7: pure==1\.0: .*\nHint: .*UV_DEFAULT_INDEX"
    ):
        unpack_for_image(pins, tmp_path / "folder")


@pytest.mark.parametrize(
    ("module", "of"),
    [
        ("yaml/__init__.py", "the image's pyyaml"),
        ("six.py", "the image's six"),
        ("pyspark/__init__.py", "Spark"),
        ("json.py", "the standard library"),
        ("sitecustomize.py", "Python's start"),
        ("data_utils.py", "spark_jobs"),
    ],
)
def test_a_package_that_shadows_a_module_of_the_container_is_rejected(
    index: Path, tmp_path: Path, module: str, of: str
) -> None:
    shadow = pin("shadow", add_wheel(index, "shadow", module=module))

    with pytest.raises(UserError, match=rf"^requirements-rates\.txt:7: shadow==1\.0: .* of {of}; "):
        unpack_for_image([shadow], tmp_path / "folder", own_modules=["data_utils"])


def test_a_package_for_another_spark_is_rejected(index: Path, tmp_path: Path) -> None:
    fine = pin("fine", add_wheel(index, "fine", requires="pyspark>=3.5,<4"), line=3)
    optional = pin("optional", add_wheel(index, "optional", requires="pyspark>=4; extra == 'new'"), line=5)
    newer = pin("newer", add_wheel(index, "newer", requires="pyspark>=4"))

    unpack_for_image([fine, optional], tmp_path / "one")
    with pytest.raises(UserError, match=r"^requirements-rates\.txt:7: newer==1\.0: it needs pyspark>=4"):
        unpack_for_image([fine, newer], tmp_path / "other")


def test_a_folder_without_init_shadows_nothing(index: Path, tmp_path: Path) -> None:
    hidden = pin("shadow", add_wheel(index, "shadow", module="yaml/extra.py"))

    unpack_for_image([hidden], tmp_path / "folder")


def test_the_names_of_the_image_are_those_of_its_packages() -> None:
    found = modules_of(site_packages_of_jobs())

    kept = json.loads(image.MODULES.read_text())
    assert found == kept, "run: .venv/bin/python -m helpers.spark.packages.image_modules"
    assert kept["yaml"] == "pyyaml"


@pytest.mark.parametrize(
    ("stated", "listed"),
    [
        ("License-Expression: MIT", "MIT"),
        ("Classifier: License :: OSI Approved :: BSD License", "BSD License"),
        ("License: Apache 2.0", "Apache 2.0"),
        ("Summary: none", "not stated"),
    ],
)
def test_the_license_of_a_package_is_listed(tmp_path: Path, stated: str, listed: str) -> None:
    info = tmp_path / "pure-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: Pure\nVersion: 1.0\n{stated}\n")

    assert write_licenses(of_wheels(tmp_path)).splitlines()[1:] == [f"pure==1.0: {listed}"]
