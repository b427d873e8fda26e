"""The optional parts of the template, and the changes that remove them from a repository.

parts.toml lists the files and folders that belong to one part only. In a shared file, comments mark the lines
of a part. JSON has no comments, so parts.toml also lists the stacks of a part in parameter files.
"""

import posixpath
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from helpers.template.git import Git
from helpers.template.marks import MARK, anchors, without_links, without_marked, without_stacks

FILE = "helpers/template/parts.toml"
ENVIRONMENTS = "infra/parameters"
GENERATED = ("docs/reference/", "docs/security.md")
"""Generated pages: their links come from their sources, so they are not edited."""
STEP = "Step"
"""The answer with the name of the fork's own Spark step."""


@dataclass(frozen=True)
class Part:
    """An optional part.

    Attributes:
        name: its name in marks.
        answer: the answer to `make init` that selects it.
        files: the paths of files and folders that belong to this part only.
        stacks: its templates in infra/, which parameter files list as stacks.
    """

    name: str
    answer: str
    files: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()

    def owns(self, path: str) -> bool:
        """Return whether a file belongs to this part only."""
        return any(path == each or path.startswith(f"{each}/") for each in self.files)


def read_parts(text: str) -> tuple[Part, ...]:
    """Return the parts in the text of parts.toml."""
    return tuple(
        Part(name, part["answer"], tuple(part.get("files", ())), tuple(part.get("stacks", ())))
        for name, part in tomllib.loads(text).items()
    )


def parts_of(root: Path) -> tuple[Part, ...]:
    """Return the optional parts of a checkout."""
    return read_parts((root / FILE).read_text(encoding="utf-8"))


def absent_parts(parts: Iterable[Part], answers: Mapping[str, object]) -> list[Part]:
    """Return the parts that a fork with these answers does not have. By default, a fork has all parts.

    A fork with its own Spark step (`Step`) does not have the sample data. The other answers are booleans.
    """
    return [
        part
        for part in parts
        if (bool(answers.get(STEP)) if part.answer == STEP else answers.get(part.answer) is False)
    ]


class Listing(Protocol):
    """The files of a repository, in its working tree or in a version."""

    def paths(self) -> Collection[str]:
        """Return the paths of all files."""

    def marked(self) -> Iterable[str]:
        """Return those of the files with marks."""

    def read(self, path: str) -> str:
        """Return the text of a file."""


@dataclass(frozen=True)
class Version:
    """The files of a commit or tree."""

    git: Git
    name: str

    def exists(self) -> bool:
        """Return whether the repository has this version."""
        return bool(self.name) and self.git.run("cat-file", "-e", f"{self.name}^{{tree}}").returncode == 0

    def paths(self) -> Collection[str]:
        """Return the paths of all files."""
        return self.git("ls-tree", "-r", "-z", "--name-only", "--full-tree", self.name).split("\0")[:-1]

    def marked(self) -> Iterable[str]:
        """Return those of the files with marks."""
        return [path.partition(":")[2] for path in grep_marks(self.git, self.name)]

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return self.git.run("show", f"{self.name}:{path}").stdout

    def parts(self) -> tuple[Part, ...]:
        """Return the optional parts of this version; earlier versions list none."""
        return read_parts(self.read(FILE)) if FILE in self.paths() else ()


def grep_marks(git: Git, *where: str) -> list[str]:
    """Return the paths of the files with marks, as `git grep` prints them."""
    return git.run("grep", "-l", "-I", "-z", "-E", "-e", MARK, *where).stdout.split("\0")[:-1]


def without(absent: Collection[Part], files: Listing) -> dict[str, str | None]:
    """Return the changes that remove parts: by path, the new text of a file, or None if it is deleted.

    Args:
        absent: the parts to remove.
        files: the files of the repository.

    Raises:
        UserError: a block of marked lines has no begin or no end.
    """
    names = {part.name for part in absent}
    stacks = [stack for part in absent for stack in part.stacks]
    paths = files.paths()
    pages = [path for path in paths if path.endswith(".md") and not path.startswith(GENERATED)]
    deleted = {path for path in paths if any(part.owns(path) for part in absent)}
    texts = _Texts(files, deleted)
    for path in files.marked():
        texts.edit(path, partial(without_marked, names=names, path=path))
    for path in paths:
        if posixpath.dirname(path) == ENVIRONMENTS:
            texts.edit(path, partial(without_stacks, stacks=stacks))
    gone = frozenset(deleted | {anchor for page in pages for anchor in texts.lost_anchors(page)})
    for page in pages if gone else ():
        texts.edit(page, partial(without_links, page=page, gone=gone))
    return {**texts.edited, **dict.fromkeys(deleted)}


class _Texts:
    """The texts of files after several edits; deleted files are skipped."""

    def __init__(self, files: Listing, deleted: Collection[str]):
        self._files, self._deleted = files, deleted
        self.edited: dict[str, str] = {}

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        if path not in self._deleted:
            text = self.edited[path] if path in self.edited else self._files.read(path)
            if (changed := change(text)) != text:
                self.edited[path] = changed

    def lost_anchors(self, page: str) -> list[str]:
        """Return the headings that a page no longer has, as path#anchor."""
        if page not in self.edited:
            return []
        return [f"{page}#{each}" for each in anchors(self._files.read(page)) - anchors(self.edited[page])]
