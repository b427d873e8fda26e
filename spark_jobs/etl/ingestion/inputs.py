"""Finds the input files of a job, and divides them among tasks."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Iterable, NamedTuple, Sequence

from etl.errors import JobError
from etl.ingestion.compression import CODECS, codec_of
from etl.names import GLOB_CHARACTER, escaped, glob_regex, is_hidden
from etl.storage import local_path

if TYPE_CHECKING:
    from etl.storage import Storage, StoredFile

SPLIT_BYTES = 128 * 1024**2
"""Maximum input of a task, and so of an output file. Fewer, larger files are faster to list and read."""
LEAST_SPLIT_BYTES = 4 * 1024**2
"""Minimum input of a task, the default of spark.sql.files.openCostInBytes."""
SHOWN_NAMES = 3

LOG = logging.getLogger("etl")


class Piece(NamedTuple):
    """A byte range of a file. A record belongs to the range in which it begins."""

    file: StoredFile
    start: int
    end: int


class Part(NamedTuple):
    """The input of a task."""

    number: int
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """The size in bytes."""
        return sum(piece.end - piece.start for piece in self.pieces)


def find_input(files: Storage, uri: str) -> list[StoredFile]:
    """Return the files of a URI, which is a file, a folder with its subfolders, or a glob pattern.

    Files with hidden names are skipped, and a warning is logged.

    Raises:
        JobError: there are no files, or only files with hidden names.
    """
    found = list(_below(files, uri))
    if not found:
        raise JobError(f"there is no input at {uri}")
    hidden = [file.uri for file, name in found if is_hidden(name)]
    kept = [file for file, name in found if not is_hidden(name)]
    if not any(file.size for file in kept) and any(file.size for file, _ in found):
        raise JobError(
            f"the job skips all files at {uri}, because names that begin with _ or . are hidden: "
            f"{_some(hidden)}; rename them"
        )
    if skipped := [file.uri for file, name in found if is_hidden(name) and file.size]:
        LOG.warning("the job skips hidden files at %s: %s", uri, _some(skipped))
    return sorted(kept)


def _below(files: Storage, uri: str) -> Iterable[tuple[StoredFile, str]]:
    """Yield each file with its path in the folder that the URI names or its glob pattern matches."""
    path = str(local_path(uri)) if uri.startswith("file:") else uri.rstrip("/")
    if not GLOB_CHARACTER.search(path):
        for file in files.files(path):
            yield file, _name_below(file, path)
        return
    literal = path[: GLOB_CHARACTER.search(path).start()].rpartition("/")[0]  # type: ignore[union-attr]
    depth, pattern = path.count("/"), glob_regex(path)
    matched, exact = False, False
    for file in files.files(literal or "/"):
        steps = file.uri.split("/")
        if exact or file.uri == path or file.uri.startswith(f"{path}/"):
            exact = True
        top = "/".join(steps[: depth + 1])
        if len(steps) > depth and pattern.fullmatch(top):
            matched = matched or top == path
            yield file, _name_below(file, top)
    if exact and not matched:
        raise JobError(
            f"{uri} exists, but as a glob pattern it matches other names: use {escaped(uri)}, or rename it"
        )


def _name_below(file: StoredFile, top: str) -> str:
    return file.uri.removeprefix(f"{top}/") if file.uri != top else top.rpartition("/")[2]


def divide(found: Sequence[StoredFile], cores: int, *, splittable: bool) -> list[Part]:
    """Divide files evenly among tasks. Small files share a task.

    For large inputs, the number of tasks is a multiple of the cores, so that no core is idle at the end.

    Args:
        found: the files.
        cores: the number of cores.
        splittable: whether files may be split, because the end of a record can be found from any position.
    """
    total = sum(file.size for file in found)
    cores = max(1, cores)
    waves = max(1, math.ceil(total / (cores * SPLIT_BYTES)))
    share = max(LEAST_SPLIT_BYTES, math.ceil(total / (cores * waves)))
    parts: list[list[Piece]] = []
    room = 0
    for file in found:
        for piece in _ranges(file, share, splittable=splittable and codec_of(file.uri) not in CODECS):
            size = piece.end - piece.start
            if size > room or not parts:
                parts.append([])
                room = share
            parts[-1].append(piece)
            room -= size
    return [Part(number, tuple(pieces)) for number, pieces in enumerate(parts)]


def _ranges(file: StoredFile, share: int, *, splittable: bool) -> list[Piece]:
    if not file.size:
        return []
    if not splittable:
        return [Piece(file, 0, file.size)]
    count = math.ceil(file.size / share)
    size = math.ceil(file.size / count)
    return [Piece(file, start, min(start + size, file.size)) for start in range(0, file.size, size)]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(sorted(names)[:SHOWN_NAMES]) + more
