"""Functions for file names and URIs: hidden names, glob patterns, and overlapping locations."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Iterator

GLOB_CHARACTER = re.compile(r"[{}\[\]*?\\]")
"""A character that makes a path a glob pattern in Spark."""


def is_hidden(name: str) -> bool:
    """Return whether Spark skips a file when it lists a folder, given the path of the file in the folder.

    >>> is_hidden("_a.csv"), is_hidden(".day=1/a"), is_hidden("a.csv._COPYING_"), is_hidden("_day=1/a")
    (True, True, True, False)
    """
    return any(
        part.startswith(".") or part.endswith("._COPYING_") or (part.startswith("_") and "=" not in part)
        for part in name.split("/")
    )


def is_data_file(name: str) -> bool:
    """Return whether a file contains data for Spark, given its path in the folder of the data set.

    >>> is_data_file("day=1/part-0.parquet"), is_data_file("_SUCCESS"), is_data_file("_temporary/0/part-0")
    (True, False, False)
    """
    return not any(part.startswith(("_", ".")) and "=" not in part for part in name.split("/"))


def escaped(uri: str) -> str:
    r"""Return the glob pattern that matches only this URI.

    >>> print(escaped("in/a [1].csv"))
    in/a \[1\].csv
    """
    return GLOB_CHARACTER.sub(r"\\\g<0>", uri)


def glob_regex(pattern: str) -> re.Pattern[str]:
    r"""Return the regular expression of a glob pattern of Hadoop: `* ? [a-c] [^a] {a,b} \x`.

    >>> bool(glob_regex("in/{a,b}?/*.csv").fullmatch("in/b1/x.csv")), bool(glob_regex("*").fullmatch("a/b"))
    (True, False)
    """
    return re.compile("".join(_translated(pattern)), re.DOTALL)


def _translated(pattern: str) -> Iterator[str]:
    position, braces = 0, 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "\\" and position < len(pattern):
            yield re.escape(pattern[position])
            position += 1
        elif character == "*":
            yield "[^/]*"
        elif character == "?":
            yield "[^/]"
        elif character == "[" and (end := pattern.find("]", position + 1)) > 0:
            inside = pattern[position:end].replace("\\", "")
            negated = "^" if inside[0] in "^!" else ""
            listed = re.sub(r"([\[\]&~|^])", r"\\\1", inside[len(negated) :])
            yield f"[{negated}{listed}]"
            position = end + 1
        elif character == "{":
            braces += 1
            yield "(?:"
        elif character == "}" and braces:
            braces -= 1
            yield ")"
        elif character == "," and braces:
            yield "|"
        else:
            yield re.escape(character)


def overlap(input_uri: str, output_uri: str) -> bool:
    """Return whether an input and an output are equal, or one contains the other.

    >>> overlap("s3a://data/in", "s3://data/in/out"), overlap("s3a://data/*.csv", "s3a://data/out")
    (True, False)
    """
    source, target = _location(re.sub(r"\{[^}]*\}", "*", input_uri)), _location(output_uri)
    return all(fnmatchcase(target[i], source[i]) for i in range(min(len(source), len(target))))


def _location(uri: str) -> list[str]:
    """Return bucket and path in parts. s3, s3a and s3n are equivalent, and so are /path and file:///path."""
    scheme, colon, rest = uri.partition(":")
    path = rest if colon and "/" not in scheme else uri
    bucket, *parts = path[2:].split("/") if path.startswith("//") else ["", *path.split("/")]
    return [bucket, *(part for part in parts if part)]
