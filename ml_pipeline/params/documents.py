"""Parameter files: strict JSON, an overlay over a base, and the origin of each value."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from helpers.errors import UserError


@dataclass(frozen=True)
class Document:
    """One parameter file."""

    name: str
    values: dict[str, Any]


def read_document(path: Path) -> Document:
    """Read a parameter file.

    Raises:
        UserError: the file is missing, is not a JSON object, or has a duplicate key or a non-finite number.
    """
    name = _short(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(
            f"{name}: there is no such file", hint="Create it; {} is enough for an overlay"
        ) from None
    except UnicodeDecodeError as error:
        raise UserError(f"{name}: not UTF-8 at byte {error.start}", hint="Save it as UTF-8") from error
    twice: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        twice.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return dict(pairs)

    try:
        values = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{name}: line {error.lineno}, column {error.colno}: {error.msg}",
            hint=f"Correct line {error.lineno} of {name}",
        ) from error
    if twice:
        raise UserError(f"{name}: keys written more than once: {', '.join(twice)}", hint="Keep one of each")
    if not isinstance(values, dict):
        raise UserError(
            f"{name}: found a JSON {type(values).__name__} instead of an object", hint="Write one object, {…}"
        )
    # Python reads NaN, Infinity and 1e999. No value is above or below NaN, so no value exceeds it as a limit.
    if found := next(_not_finite(values), None):
        key, number = found
        raise UserError(
            f"{name}: {key} = {number} is not a finite number", hint=f"Write a number for {key}, as 0.5"
        )
    return Document(name, values)


def _not_finite(values: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Yield the non-finite numbers, each with its key."""
    match values:
        case float() if not math.isfinite(values):
            yield key, values
        case dict():
            for name, value in values.items():
                yield from _not_finite(value, f"{key}.{name}".lstrip("."))
        case list():
            for index, value in enumerate(values):
                yield from _not_finite(value, f"{key}.{index}")


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Return base with values replaced by those of overlay; objects are merged key by key."""
    merged = dict(base)
    for key, value in overlay.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def lookup(values: Any, path: tuple[str | int, ...]) -> Any:
    """Return the value at a path of keys and positions.

    Raises:
        KeyError: there is no value at the path.
    """
    for part in path:
        try:
            values = values[part]
        except (LookupError, TypeError):
            raise KeyError(path) from None
    return values


def origin(path: tuple[str | int, ...], documents: Sequence[Document]) -> str:
    """Return the name of the last file that sets the value at a path.

    A value that no file sets belongs in the file with the longest part of the path; by default in the last
    but one, the base of the last overlay. Lists are replaced as a whole.
    """
    keys = tuple(takewhile(lambda part: isinstance(part, str), path))
    for length in range(len(keys), 0, -1):
        for document in reversed(documents):
            try:
                lookup(document.values, keys[:length])
            except KeyError:
                continue
            return document.name
    return documents[-2].name


def _short(path: Path) -> str:
    """Return a path relative to the current folder if it is inside."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute)
