"""Pin the packages and jars that steps name."""

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from helpers.command_line import say
from helpers.environments import PREVIEW, has_previews, names
from helpers.errors import UserError
from helpers.files import write_atomically
from helpers.spark.packages.jar_lock import LOCK, write_jars
from helpers.spark.packages.locking import locked
from helpers.spark.packages.maven_resolution import resolve
from helpers.spark.packages.pom import POM, write_pom
from helpers.spark.packages.requirements import lock_file, read_pins
from helpers.spark.packages.wheels import unpack_for_image
from ml_pipeline.params import SparkCode
from ml_pipeline.params.files import packages_of
from ml_pipeline.pipelines import pipeline_names


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Add nothing: the locks are those of all pipelines in all environments."""


def run(_: argparse.Namespace, console: Console) -> int:
    """Write the lock files; none of them where one cannot be made."""
    code = SparkCode()
    requirements, coordinates = _named()
    texts: dict[Path, str] = {}
    problems = []
    for name in requirements:
        try:
            texts[lock_file(code.folder / name)] = _locked(code, name)
        except UserError as error:
            problems.append(str(error))
    jars = {}
    for coordinate in coordinates:
        try:
            jars[coordinate] = resolve(coordinate)
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))
    if jars or (code.folder / LOCK).is_file():
        texts[code.folder / LOCK] = write_jars(jars)
    texts[code.folder / POM] = write_pom(jars)
    for path, text in texts.items():
        write_atomically(path, text)
        say(console, f"Locked {path.name}")
    return 0


def _named() -> tuple[list[str], list[str]]:
    """Return the files of requirements and the Maven coordinates of all pipelines in all environments."""
    environments = [*names(), *([PREVIEW] if has_previews() else [])]
    found = [
        packages
        for environment in environments
        for pipeline in pipeline_names()
        for packages in packages_of(environment, pipeline)
    ]
    requirements = {each for each, _ in found if each}
    return sorted(requirements), sorted({jar for _, jars in found for jar in jars})


def _locked(code: SparkCode, name: str) -> str:
    """Return the lock of a file, once its wheels were looked at as a job would get them."""
    source = code.folder / name
    if not source.is_file():
        raise UserError(f"there is no file {source}; create it, or name another")
    text = locked(source)
    pins = read_pins(lock_file(source), text)
    if pins:
        with tempfile.TemporaryDirectory() as folder:
            unpack_for_image(pins, Path(folder) / "python", code.modules)
    return text
