"""Problems of requirements and their lock that are found without a package index."""

from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.spark.packages.requirements import check_lock, lock_file, read_pins, read_requirements

SOURCE = Path("requirements-rates.in")
LOCK = lock_file(SOURCE)
HASH = f"--hash=sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-e .", r"-e \.: this is an option of pip\nHint: Write names and versions only"),
        (
            "--index-url https://pypi.example",
            "option of pip\nHint: Write names and versions only; configure the index on the machine",
        ),
        ("polars @ https://host/polars.whl", "this names an address\nHint: Name versions"),
        ("polars=>2", "polars=>2: this is not a name with its versions\nHint: Write one as humanize>=4,<5"),
        (
            "numpy==2.0.0",
            r"numpy==2\.0\.0: the Spark image has numpy 1\.26\.4, and a second",
        ),
        ("NumPy>=2", "the Spark image has numpy 1"),
        ("pyspark>=4", "the Spark image has pyspark 3.5.6"),
    ],
)
def test_a_line_that_cannot_be_locked_is_named(line: str, message: str) -> None:
    with pytest.raises(UserError, match=rf"^requirements-rates\.in:3: .*{message}"):
        read_requirements(SOURCE, f"# ours\n\n{line}\n")


def test_comments_markers_and_what_goes_with_the_image_are_fine() -> None:
    text = "humanize>=4 # pure\nNumPy>=1.26\nsetuptools>60\norjson[x]; python_version > '3'\n"

    assert [each.name for each in read_requirements(SOURCE, text)] == [
        "humanize",
        "numpy",
        "setuptools",
        "orjson",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("orjson==3.1", "orjson==3.1: it has no hash"),
        (f"orjson==3.1 {HASH[:-1]}", "orjson==3.1: it has no hash"),
        (f"orjson>=3 {HASH}", "it is not a pinned package"),
        (f"numpy==1.26.4 {HASH}", "the Spark image has numpy 1.26.4"),
        (f"Humanize==5.0 {HASH}", "it is in line 1 as well"),
    ],
)
def test_an_invalid_pin_is_named(line: str, message: str) -> None:
    with pytest.raises(
        UserError, match=rf"^requirements-rates\.txt:3: .*{message}.*\nHint: .*make lock-packages$"
    ):
        read_pins(LOCK, f"humanize==4.0 \\\n    {HASH}\n{line}\n")


def test_hashes_of_continued_lines_belong_to_their_package() -> None:
    (pin,) = read_pins(
        LOCK, f"# made\nhumanize==4.0 \\\n    {HASH} \\\n    {HASH.replace('0', '1')}\n    # via x\n"
    )

    assert (pin.line, len(pin.hashes)) == (2, 2)


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("orjson", "in:1: orjson: it is not in requirements-rates.txt"),
        ("humanize>=5", r"in:1: humanize>=5: line 1 of requirements-rates\.txt has 4\.0"),
    ],
)
def test_a_lock_of_earlier_requirements_is_not_used(requirement: str, message: str) -> None:
    pins = read_pins(LOCK, f"humanize==4.0 {HASH}\n")

    with pytest.raises(UserError, match=f"{message}\nHint: .*make lock-packages"):
        check_lock(read_requirements(SOURCE, requirement), pins, LOCK)
    check_lock(read_requirements(SOURCE, "humanize>=4\nnumpy"), pins, LOCK)
