"""The requirements of a step and their lock file, with all checks that need no network."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from helpers.errors import UserError
from helpers.spark.packages import image
from helpers.spark.packages.uv import LOCK_HINT

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})(?=\s|$)")
_PIN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;]+)")


@dataclass(frozen=True)
class Wanted:
    """A line of a requirements file."""

    file: str
    line: int
    requirement: Requirement

    def __str__(self) -> str:
        """Return the position and the requirement."""
        return f"{self.file}:{self.line}: {self.requirement}"

    @property
    def name(self) -> str:
        """The normalized name of the package."""
        return canonicalize_name(self.requirement.name)


@dataclass(frozen=True)
class Pin:
    """A package of a lock file, with the expected hashes."""

    file: str
    line: int
    name: str
    version: str
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        """Return the position and the package."""
        return f"{self.file}:{self.line}: {self.name}=={self.version}"

    @property
    def requirement(self) -> str:
        """Return the pin as a line of a requirements file."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash={each}" for each in sorted(self.hashes))])


def lock_file(source: Path) -> Path:
    """Return the path of the lock file for a requirements file."""
    return source.with_suffix(".txt")


def read_requirements(source: Path, text: str) -> list[Wanted]:
    """Return the lines of a requirements file.

    Raises:
        UserError: a line is not a name with versions, or requires another version than the image has.
    """
    wanted = []
    for number, line in _lines(text):
        place = f"{source.name}:{number}"
        if line.startswith("-"):
            raise UserError(
                f"{place}: {line}: this is an option of pip",
                hint="Write names and versions only; configure the index on the machine, as UV_DEFAULT_INDEX",
            )
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            raise UserError(
                f"{place}: {line}: this is not a name with its versions", hint="Write one as humanize>=4,<5"
            ) from None
        if requirement.url:
            raise UserError(
                f"{place}: {line}: this names an address",
                hint="Name versions: packages come from the index of the machine",
            )
        wanted.append(Wanted(source.name, number, requirement))
    if problems := [problem for each in wanted if (problem := _conflict(each))]:
        raise UserError("\n".join(problems), hint="Correct these lines, then run: make lock-packages")
    return wanted


def read_pins(lock: Path, text: str) -> list[Pin]:
    """Return the packages of a lock file.

    Raises:
        UserError: a package is not pinned with hashes, is duplicate, or is part of the image.
    """
    pins: dict[str, Pin] = {}
    provided = image.provided()
    for number, line in _lines(text):
        place, found = f"{lock.name}:{number}", _PIN.match(line)
        if not found:
            raise UserError(f"{place}: {line}: it is not a pinned package", hint=LOCK_HINT)
        name = canonicalize_name(found["name"])
        pin = Pin(lock.name, number, name, found["version"], tuple(_HASH.findall(line)))
        if not pin.hashes:
            raise UserError(f"{pin}: it has no hash", hint=LOCK_HINT)
        if name in pins:
            raise UserError(f"{pin}: it is in line {pins[name].line} as well", hint=LOCK_HINT)
        if name in provided:
            raise UserError(f"{pin}: the Spark image has {_of_image(name)}", hint=LOCK_HINT)
        pins[name] = pin
    return list(pins.values())


def check_lock(wanted: Sequence[Wanted], pins: Sequence[Pin], lock: Path) -> None:
    """Raise a UserError if a lock file does not match the requirements."""
    pinned = {pin.name: pin for pin in pins}
    for each in wanted:
        pin = pinned.get(each.name)
        if pin is None and each.name not in image.provided():
            raise UserError(f"{each}: it is not in {lock.name}", hint=LOCK_HINT)
        if pin and not each.requirement.specifier.contains(pin.version, prereleases=True):
            raise UserError(f"{each}: line {pin.line} of {lock.name} has {pin.version}", hint=LOCK_HINT)


def _conflict(wanted: Wanted) -> str | None:
    provided: Mapping[str, str | None] = image.provided()
    if (version := provided.get(wanted.name)) is None:
        return None
    if wanted.requirement.specifier.contains(version, prereleases=True):
        return None
    return (
        f"{wanted}: the Spark image has {_of_image(wanted.name)}, and a second version beside it would break "
        "what uses it; allow that version, or remove the line"
    )


def _of_image(name: str) -> str:
    version = image.provided()[name]
    return f"{name} {version}" if version else name


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each logical line without its comment, with the number of its first physical line."""
    begun, parts = 0, []
    for number, line in enumerate(text.splitlines(), 1):
        parts.append(_COMMENT.sub("", line).strip())
        begun = begun or number
        if parts[-1].endswith("\\"):
            parts[-1] = parts[-1].removesuffix("\\").strip()
            continue
        if joined := " ".join(filter(None, parts)):
            yield begun, joined
        begun, parts = 0, []
    if joined := " ".join(filter(None, parts)):
        yield begun, joined
