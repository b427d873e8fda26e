"""Removes the lines of optional parts from the text of a file.

Comments mark the lines of a part: a block between `begin: PART` and `end: PART`, or a single line that ends
in `part: PART`. The comment has the syntax of the file: `#`, `<!-- -->`, or `%%` in diagrams.
"""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet

from helpers.errors import UserError

MARK = "(#|<!--|%%) (begin|end|part): [A-Za-z]"
"""The pattern of lines with a mark, for `git grep -E`."""
_BLOCK = re.compile(r"\s*(?:#|<!--|%%) (begin|end): ([a-zA-Z ]+?)(?: -->)?\s*")
_LINE = re.compile(r"\s(?:#|<!--) part: ([a-zA-Z ]+?)(?: -->(?: \|)?)?\s*$")
_LINK = re.compile(r"\[([^\[\]]+)\]\(([^()#\s]*)(#[^()\s]*)?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def marked_names(text: str) -> set[str]:
    """Return the names of the parts that are marked in a text."""
    lines = text.splitlines()
    blocks = (_BLOCK.fullmatch(line) for line in lines)
    singles = (_LINE.search(line) for line in lines)
    return {block[2] for block in blocks if block} | {single[1] for single in singles if single}


def without_marked(text: str, names: Collection[str], path: str) -> str:
    """Return a text without the lines of some parts.

    Args:
        text: the text of a file.
        names: the names of the parts.
        path: the path of the file, for messages.

    Raises:
        UserError: a `begin` has no `end`, or an `end` has no `begin`.
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
        elif single:
            inside = inside or single[1] in names
        if not inside:
            yield line
    if begun:
        raise UserError(
            f"{path}: the block {begun[-1]!r} does not end", hint=f"Add the line that ends it to {path}"
        )


def without_stacks(text: str, stacks: Iterable[str]) -> str:
    """Return the text of a parameter file without some of its stacks, with its format unchanged."""
    for stack in stacks:
        text = re.sub(rf'("Stacks":[^\]]*?), *"{re.escape(stack)}"', r"\1", text)
    return text


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub generates them."""
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in _HEADING.findall(text)
    }


def without_links(text: str, page: str, gone: AbstractSet[str]) -> str:
    """Return a page in which links to deleted files and headings are replaced by their text.

    Args:
        text: Markdown.
        page: the path of the page in the repository.
        gone: deleted paths in the repository, and deleted headings as path#anchor.
    """

    def unlinked(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), link[2])) if link[2] else page
        return link[1] if {target, f"{target}{link[3] or ''}"} & gone else link[0]

    return _LINK.sub(unlinked, text)
