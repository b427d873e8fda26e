"""The optional parts of the template, and what a repository without some of them looks like.

Files and folders that belong to one part alone are listed in parts.toml. In a file that is shared, comments mark its
lines: a block between `begin: PART` and `end: PART`, or a single line that ends in `part: PART`. The comment is that
of the file's language, `# …` or `<!-- … -->`. JSON has no comments: the stacks of a part are listed in parts.toml.
"""

import posixpath
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from helpers.errors import UserError

FILE = "helpers/template/parts.toml"
ENVIRONMENTS = "infra/parameters"
MARK = r"(begin|end|part): "
"""What marks contain, for `git grep -E`."""
_BLOCK = re.compile(r"\s*(?:#|<!--) (begin|end): ([a-zA-Z ]+?)(?: -->)?\s*")
_LINE = re.compile(r"\s(?:#|<!--) part: ([a-zA-Z ]+?)(?: -->(?: \|)?)?\s*")
_LINK = re.compile(r"\[([^\[\]]+)\]\(([^()#\s]*)(#[^()\s]*)?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


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


def without(
    absent: Collection[Part], paths: Collection[str], marked: Iterable[str], read: Callable[[str], str]
) -> dict[str, str | None]:
    """Return what differs in a repository without some parts: the texts of files, and None for deleted ones.

    Args:
        absent: the parts that are not there.
        paths: all files of the repository with them.
        marked: those with marks.
        read: returns the text of a file.

    Raises:
        UserError: a block does not end, or ends without having begun.
    """
    if not absent:
        return {}
    names = {part.name for part in absent}
    found: dict[str, str | None] = {path: None for path in paths if any(part.owns(path) for part in absent)}
    before: dict[str, str] = {}

    def edit(path: str, change: Callable[[str], str]) -> None:
        if path in found and found[path] is None:
            return
        text = before.setdefault(path, read(path))
        if (changed := change(found.get(path) or text)) != text:
            found[path] = changed

    for path in marked:
        edit(path, lambda text, path=path: without_marked(text, names, path))  # type: ignore[misc]
    stacks = [stack for part in absent for stack in part.stacks]
    for path in paths:
        if posixpath.dirname(path) == ENVIRONMENTS:
            edit(path, lambda text: _without_stacks(text, stacks))
    pages = [path for path in paths if path.endswith(".md")]
    gone = {path for path, text in found.items() if text is None}
    for page in pages:
        text = found.get(page)
        if text is not None:
            gone |= {f"{page}#{each}" for each in anchors(before[page]) - anchors(text)}
    for page in pages:
        edit(page, lambda text, page=page: without_links(text, page, gone))  # type: ignore[misc]
    return found


def without_marked(text: str, names: Collection[str], path: str) -> str:
    """Return a text without the lines that are marked as those of some parts.

    Args:
        text: of a file.
        names: of the parts.
        path: of the file, for messages.

    Raises:
        UserError: a block does not end, or ends without having begun.
    """
    return "".join(_lines_outside(text, names, path))


def _lines_outside(text: str, names: Collection[str], path: str) -> Iterator[str]:
    begun: list[str] = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        block = _BLOCK.fullmatch(line)
        single = _LINE.search(line)
        inside = any(each in names for each in begun)
        if block and block[1] == "begin":
            begun.append(block[2])
            inside = inside or block[2] in names
        elif block:
            if not begun or begun.pop() != block[2]:
                raise UserError(
                    f"{path}, line {number}: the block {block[2]!r} ends without having begun",
                    hint=f"Add the line that begins it to {path}",
                )
        elif single and single.end() == len(line):
            inside = inside or single[1] in names
        if not inside:
            yield line
    if begun:
        raise UserError(
            f"{path}: the block {begun[-1]!r} does not end", hint=f"Add the line that ends it to {path}"
        )


def _without_stacks(text: str, stacks: Iterable[str]) -> str:
    """Return the file of an environment without some of its stacks; the rest keeps its form."""
    for stack in stacks:
        text = re.sub(rf'("Stacks":[^\]]*?), *"{re.escape(stack)}"', r"\1", text)
    return text


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in _HEADING.findall(text)
    }


def without_links(text: str, page: str, gone: Collection[str]) -> str:
    """Return the text of a page in which links to what is gone are their texts alone.

    Args:
        text: Markdown.
        page: the path of the page in the repository.
        gone: paths in the repository, also with the anchor of a heading.
    """

    def unlinked(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), link[2])) if link[2] else page
        return link[1] if {target, f"{target}{link[3] or ''}"} & set(gone) else link[0]

    return _LINK.sub(unlinked, text)
