"""Resolving requirements for the image, from an index on this machine."""

from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.spark.packages.locking import locked
from helpers.spark.packages.requirements import lock_file, read_pins
from tests.helpers.spark.packages.wheel_index import IMAGE_TAG, add_wheel


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "requirements-rates.in"


def test_wheels_for_the_image_are_pinned_with_hashes_and_what_it_has_is_left_out(
    index: Path, source: Path
) -> None:
    native = add_wheel(index, "native", IMAGE_TAG, requires="numpy>=1.26")
    add_wheel(index, "numpy", IMAGE_TAG, version="1.26.4")
    other = add_wheel(index, "native", "cp311-cp311-macosx_11_0_arm64")
    add_wheel(index, "needs_spark", requires="pyspark>=3.5")
    source.write_text("native\nneeds_spark\n")

    text = locked(source)

    pins = {pin.name: pin for pin in read_pins(lock_file(source), text)}
    assert pins.keys() == {"native", "needs-spark"}
    assert set(pins["native"].hashes) == {native, other}, "other machines run the same version"
    assert str(index) not in text


@pytest.mark.parametrize("tag", ["cp312-cp312-win_amd64", "cp311-cp311-manylinux_2_28_x86_64"])
def test_a_package_without_a_wheel_for_the_image_is_named(index: Path, source: Path, tag: str) -> None:
    add_wheel(index, "elsewhere", tag)
    add_wheel(index, "pure")
    source.write_text("pure\nelsewhere\n")

    with pytest.raises(
        UserError, match=r"^requirements-rates\.in:2: elsewhere: .*elsewhere.*\nHint: Name other versions"
    ):
        locked(source)


def test_a_package_that_needs_another_version_than_the_image_has_is_named(index: Path, source: Path) -> None:
    add_wheel(index, "numpy", version="1.26.4")
    add_wheel(index, "numpy", version="2.0.0")
    add_wheel(index, "modern", requires="numpy>=2")
    source.write_text("# ours\nmodern\n")

    with pytest.raises(UserError, match=r"^requirements-rates\.in:2: modern: .*numpy==1\.26\.4"):
        locked(source)


def test_an_index_that_does_not_answer_is_named_once(no_index: None, source: Path) -> None:
    source.write_text("humanize\norjson\n")

    with pytest.raises(
        UserError, match=r"^requirements-rates\.in: Failed to fetch.*\nHint: Set UV_DEFAULT_INDEX"
    ) as error:
        locked(source)
    assert len(error.value.message.splitlines()) == 1
