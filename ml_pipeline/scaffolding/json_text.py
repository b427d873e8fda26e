"""Adds a member to JSON text without changing the formatting of the rest."""

import json
import re
from json.decoder import JSONDecoder
from typing import Any, NamedTuple

_SPACE = re.compile(r"\s*")
_INDENT = "  "


class _Object(NamedTuple):
    """The positions of an object in a text."""

    members: dict[str, int]
    """The position of each value, by key."""
    end: int
    """The position after its last member, or after its opening brace."""


def add_member(text: str, path: tuple[str, ...], value: Any) -> str:
    """Return the text of a JSON object with an added member, which is the last one of its object.

    Args:
        text: a valid JSON object.
        path: the keys of the path to the new member. Missing objects are created.
        value: the value of the new member.

    >>> print(add_member('{"a": [1]}', ("steps", "b"), 2))
    {"a": [1],
      "steps": {
        "b": 2
      }
    }
    """
    position, depth, keys = _skip_space(text, 0), 1, path
    found = _scan(text, position)
    while len(keys) > 1 and keys[0] in found.members:
        found = _scan(text, found.members[keys[0]])
        depth, keys = depth + 1, keys[1:]
    for key in reversed(keys[1:]):
        value = {key: value}
    lines = json.dumps({keys[0]: value}, indent=len(_INDENT), ensure_ascii=False).splitlines()[1:-1]
    member = "\n".join(_INDENT * (depth - 1) + line for line in lines)
    rest = text[found.end :]
    if rest.lstrip(" ").startswith("}"):  # puts the closing brace on a separate line
        rest = f"\n{_INDENT * (depth - 1)}{rest.lstrip(' ')}"
    return f"{text[: found.end]}{',' if found.members else ''}\n{member}{rest}"


def _scan(text: str, position: int) -> _Object:
    """Return the object that begins at a position."""
    decoder = JSONDecoder()
    members: dict[str, int] = {}
    end = position + 1
    position = _skip_space(text, end)
    while text[position] != "}":
        key, position = decoder.raw_decode(text, position)
        position = _skip_space(text, _skip_space(text, position) + 1)  # after the colon
        members[key] = position
        _, end = decoder.raw_decode(text, position)
        position = _skip_space(text, end)
        if text[position] == ",":
            position = _skip_space(text, position + 1)
    return _Object(members, end)


def _skip_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
