"""The jars of steps by Maven coordinates, and their lock: each with its dependencies, size and SHA-256."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import UserError
from helpers.spark import maven_jars
from helpers.spark.maven_jars import Jar
from helpers.spark.maven_repository import Repository
from helpers.spark.packages.coordinates import COORDINATE
from helpers.spark.packages.uv import LOCK_HINT

LOCK = "jars.json"


@dataclass(frozen=True)
class LockedJar:
    """A jar with its position in the lock file."""

    jar: Jar
    file: str
    line: int

    def __str__(self) -> str:
        """Return the position and the coordinates."""
        return f"{self.file}:{self.line}: {self.jar.coordinate}"


def jar_of(coordinate: str, size: int, sha256: str) -> Jar:
    """Return a jar from its coordinates."""
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, size, sha256)


def read_jars(lock: Path, text: str, coordinates: Iterable[str]) -> list[LockedJar]:
    """Return the jars of coordinates with their dependencies, each once.

    Raises:
        UserError: the lock lacks one of them or cannot be read, or two of them need different versions.
    """
    content = _parse(lock, text)
    found: dict[str, LockedJar] = {}
    for coordinate in coordinates:
        if coordinate not in content:
            raise UserError(f"{lock.name}: it lacks {coordinate}", hint=LOCK_HINT)
        for each, pinned in content[coordinate].items():
            jar = jar_of(each, pinned["bytes"], pinned["sha256"])
            locked = LockedJar(jar, lock.name, _line(text, coordinate, each))
            other = found.setdefault(f"{jar.group}:{jar.artifact}", locked)
            if other.jar.version != jar.version:
                raise UserError(
                    f"{locked}: {coordinate} needs it, and line {other.line} has version "
                    f"{other.jar.version} of it",
                    hint="Name jars that agree",
                )
            if other.jar.sha256 != jar.sha256:
                raise UserError(f"{locked}: line {other.line} has another hash", hint=LOCK_HINT)
    return list(found.values())


def read_all_jars(lock: Path) -> list[Jar]:
    """Return all jars of a lock, once per version.

    Raises:
        UserError: the lock cannot be read.
    """
    content = _parse(lock, lock.read_text(encoding="utf-8"))
    found = {
        coordinate: jar_of(coordinate, pinned["bytes"], pinned["sha256"])
        for jars in content.values()
        for coordinate, pinned in jars.items()
    }
    return [found[coordinate] for coordinate in sorted(found)]


def write_jars(resolved: Mapping[str, Iterable[Jar]]) -> str:
    """Return the text of a lock."""
    content = {
        coordinate: {jar.coordinate: {"bytes": jar.size, "sha256": jar.sha256} for jar in jars}
        for coordinate, jars in sorted(resolved.items())
    }
    return json.dumps(content, indent=2) + "\n"


def download(
    jars: Sequence[LockedJar], repository: Repository | None = None, cache: Path | None = None
) -> list[Path]:
    """Return the paths of jars, whose content is verified against the lock.

    Raises:
        UserError: a jar is not available or has other content.
    """
    paths = []
    for locked in jars:
        try:
            paths += maven_jars.ensure([locked.jar], repository, cache)
        except UserError as error:
            raise UserError(f"{locked}: {error.message}", hint=error.hint) from None
    return paths


def _parse(lock: Path, text: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{lock.name}:{error.lineno}: {error.msg}", hint=LOCK_HINT) from None
    if not isinstance(content, dict) or not all(isinstance(jars, dict) for jars in content.values()):
        raise UserError(f"{lock.name}:1: it is not an object of objects of jars", hint=LOCK_HINT)
    for coordinate, jars in content.items():
        for each, pinned in jars.items():
            place = f"{lock.name}:{_line(text, coordinate, each)}: {each}"
            if not COORDINATE.fullmatch(each):
                raise UserError(
                    f"{place}: not Maven coordinates",
                    hint="Write Maven coordinates as io.delta:delta-spark_2.12:3.3.2",
                )
            if not _is_pinned(pinned):
                raise UserError(f"{place}: it has no SHA-256 or no size", hint=LOCK_HINT)
    return content


def _is_pinned(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("bytes"), int)
        and re.fullmatch("[0-9a-f]{64}", str(value.get("sha256"))) is not None
    )


def _line(text: str, coordinate: str, jar: str) -> int:
    """Return the line number of a jar below the coordinates that need it."""
    start = text.find(f'"{coordinate}": {{')
    return text.count("\n", 0, text.find(f'"{jar}": {{', start + 1)) + 1
