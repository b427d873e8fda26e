"""Locks a step's packages: pins with hashes, resolved for the image's Python and platform."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from helpers.errors import UserError
from helpers.spark.packages import image
from helpers.spark.packages.requirements import Wanted, read_requirements
from helpers.spark.packages.uv import INDEX_HINT, UvError, run_uv

_LEFT_OUT = "pyspark"
"""pyspark has no wheel, and is part of the image: packages that require it use that version."""


def locked(source: Path) -> str:
    """Return the text of the lock file for a requirements file.

    Raises:
        UserError: a line has no wheel for the image or conflicts with the image's packages, or the index does
            not respond.
    """
    wanted = read_requirements(source, source.read_text(encoding="utf-8"))
    try:
        pins = _compile(source, wanted)
    except UvError as error:
        raise _rejected(source, wanted, error) from None
    return (
        f"# Made by `make lock-packages` of {source.name}, for Python {image.python_version()} on "
        f"{image.PLATFORM}.\n# The packages of the Spark image are left out.\n{pins}"
    )


def _compile(source: Path, wanted: Sequence[Wanted]) -> str:
    with tempfile.TemporaryDirectory() as temporary:
        constraints, overrides = Path(temporary) / "image.txt", Path(temporary) / "overrides.txt"
        pins = (f"{name}=={version}\n" for name, version in image.provided().items() if version)
        constraints.write_text("".join(pin for pin in pins if not pin.startswith(f"{_LEFT_OUT}=")))
        overrides.write_text(f"{_LEFT_OUT} ; python_version < '3'\n")
        (Path(temporary) / source.name).write_text("".join(f"{each.requirement}\n" for each in wanted))
        return run_uv(
            "compile",
            source.name,
            "--quiet",
            "--no-header",
            "--no-emit-index-url",
            "--generate-hashes",
            f"--python-version={image.python_version()}",
            f"--python-platform={image.PLATFORM}",
            "--only-binary=:all:",
            f"--constraints={constraints}",
            f"--overrides={overrides}",
            *(f"--no-emit-package={name}" for name in image.provided()),
            folder=Path(temporary),
        )


def _rejected(source: Path, wanted: Sequence[Wanted], error: UvError) -> UserError:
    """Return the error with the lines that cause it: each line that fails by itself."""
    if error.is_of_the_index:
        return UserError(f"{source.name}: {error}", hint=INDEX_HINT)
    found = []
    for each in wanted:
        try:
            _compile(source, [each])
        except UvError as alone:
            found.append(f"{each}: {alone}")
    lines = ", ".join(f"{each.line}: {each.requirement}" for each in wanted)
    found = found or [f"{source.name}: lines that exclude each other, {lines}: {error}"]
    return UserError(
        "\n".join(found),
        hint=f"Name other versions or packages: each needs a wheel for Python {image.python_version()} on "
        f"{image.PLATFORM} that goes with what the Spark image has",
    )
