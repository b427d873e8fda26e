"""The optional parts of the template, and the content of a repository without some of them.

Files and folders that belong to one part alone are listed in parts.toml. In a shared file, comments mark its
lines. JSON has no comments: the stacks that environments list for a part are in parts.toml, too.
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
"""Pages whose links are those of their sources; they are generated again."""
STEP = "Step"
"""The answer that names a job of the fork's own."""


@dataclass(frozen=True)
class Part:
    """An optional part.

    Attributes:
        name: as in marks.
        answer: its name among the answers to `make init`.
        files: paths of the files and folders that belong to it alone.
        stacks: the templates of infra that environments list for it.
    """

    name: str
    answer: str
    files: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()

    def owns(self, path: str) -> bool:
        """Return whether a file belongs to this part alone."""
        return any(path == each or path.startswith(f"{each}/") for each in self.files)


def read_parts(text: str) -> tuple[Part, ...]:
    """Return the parts that the contents of parts.toml list."""
    return tuple(
        Part(name, part["answer"], tuple(part.get("files", ())), tuple(part.get("stacks", ())))
        for name, part in tomllib.loads(text).items()
    )


def parts_of(root: Path) -> tuple[Part, ...]:
    """Return the optional parts that a checkout lists."""
    return read_parts((root / FILE).read_text(encoding="utf-8"))


def absent_parts(parts: Iterable[Part], answers: Mapping[str, object]) -> list[Part]:
    """Return the parts that a fork with these answers does not have: by default, it has all.

    `Step` names a job of the fork's own, and so leaves out the sample; the other answers are yes or no.
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
    """Return what differs in a repository without some parts: the texts of files, and None for deleted ones.

    Args:
        absent: the parts that are not there.
        files: of the repository with them.

    Raises:
        UserError: a block does not end, or ends without having begun.
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
    """Texts that change step by step, of files that are not deleted."""

    def __init__(self, files: Listing, deleted: Collection[str]):
        self._files, self._deleted = files, deleted
        self.edited: dict[str, str] = {}

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        if path not in self._deleted:
            text = self.edited[path] if path in self.edited else self._files.read(path)
            if (changed := change(text)) != text:
                self.edited[path] = changed

    def lost_anchors(self, page: str) -> list[str]:
        """Return the headings that a page no longer has, as links name them."""
        if page not in self.edited:
            return []
        return [f"{page}#{each}" for each in anchors(self._files.read(page)) - anchors(self.edited[page])]
