"""Pin the packages and jars of steps."""

import argparse
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from helpers.command_line import print_line
from helpers.environments import PREVIEW, has_previews, names
from helpers.errors import UserError
from helpers.files import write_atomically
from helpers.spark.packages.jar_lock import LOCK, write_jars
from helpers.spark.packages.layout import PYTHON
from helpers.spark.packages.licenses import LICENSES, of_wheels, write_licenses
from helpers.spark.packages.locking import locked
from helpers.spark.packages.maven_resolution import resolve
from helpers.spark.packages.pom import POM, write_pom
from helpers.spark.packages.requirements import lock_file, read_pins
from helpers.spark.packages.wheels import unpack_for_image
from ml_pipeline.params import SparkCode
from ml_pipeline.params.files import packages_of
from ml_pipeline.pipelines import pipeline_names

_Made = TypeVar("_Made")


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Add no options: the locks cover all pipelines in all environments."""


def run(_: argparse.Namespace, console: Console) -> int:
    """Write the lock files; if one fails, write none."""
    code = SparkCode()
    requirements, coordinates = _named()
    problems: list[str] = []
    packages = _each(requirements, lambda name: _locked(code, name), problems)
    jars = _each(coordinates, resolve, problems)
    if problems:
        raise UserError("\n".join(problems), hint="Correct these lines, then run: make lock-packages")
    licenses = {name: stated for _, found in packages.values() for name, stated in found.items()}
    licenses |= {jar.coordinate: stated for found in jars.values() for jar, stated in found.items()}
    texts = {lock_file(code.folder / name): text for name, (text, _) in packages.items()}
    texts[code.folder / POM] = write_pom(jars)
    if jars or (code.folder / LOCK).is_file():
        texts[code.folder / LOCK] = write_jars(jars)
    if licenses or (code.folder / LICENSES).is_file():
        texts[code.folder / LICENSES] = write_licenses(licenses)
    for path, text in texts.items():
        write_atomically(path, text)
        print_line(console, f"Wrote {path.name}")
    return 0


def _named() -> tuple[list[str], list[str]]:
    """Return the requirements files and the Maven coordinates of all pipelines in all environments."""
    environments = [*names(), *([PREVIEW] if has_previews() else [])]
    found = [
        packages
        for environment in environments
        for pipeline in pipeline_names()
        for packages in packages_of(environment, pipeline)
    ]
    requirements = {each for each, _ in found if each}
    return sorted(requirements), sorted({jar for _, jars in found for jar in jars})


def _each(named: Iterable[str], make: Callable[[str], _Made], problems: list[str]) -> dict[str, _Made]:
    """Return the result for each name, and collect the errors."""
    made = {}
    for name in named:
        try:
            made[name] = make(name)
        except UserError as error:
            problems.append(error.in_one_line())
    return made


def _locked(code: SparkCode, name: str) -> tuple[str, dict[str, str]]:
    """Return the lock of a requirements file, and the licenses of its packages, unpacked as for a job."""
    source = code.folder / name
    if not source.is_file():
        raise UserError(f"there is no file {source}", hint="Create it, or name another")
    text = locked(source)
    pins = read_pins(lock_file(source), text)
    if not pins:
        return text, {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / PYTHON
        unpack_for_image(pins, folder, code.modules)
        return text, of_wheels(folder)
