"""Marks of optional parts in the text of a file, and texts without them.

Comments mark the lines of a part: a block between `begin: PART` and `end: PART`, or a single line that ends
in `part: PART`. The comment is that of the file's language: `#`, `<!-- -->`, or `%%` in diagrams.
"""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet

from helpers.errors import UserError

MARK = "(#|<!--|%%) (begin|end|part): [A-Za-z]"
"""What a line with a mark contains, for `git grep -E`."""
_BLOCK = re.compile(r"\s*(?:#|<!--|%%) (begin|end): ([a-zA-Z ]+?)(?: -->)?\s*")
_LINE = re.compile(r"\s(?:#|<!--) part: ([a-zA-Z ]+?)(?: -->(?: \|)?)?\s*$")
_LINK = re.compile(r"\[([^\[\]]+)\]\(([^()#\s]*)(#[^()\s]*)?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def marked_names(text: str) -> set[str]:
    """Return the names of the parts that a text has marks of."""
    lines = text.splitlines()
    blocks = (_BLOCK.fullmatch(line) for line in lines)
    singles = (_LINE.search(line) for line in lines)
    return {block[2] for block in blocks if block} | {single[1] for single in singles if single}


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
        elif single:
            inside = inside or single[1] in names
        if not inside:
            yield line
    if begun:
        raise UserError(
            f"{path}: the block {begun[-1]!r} does not end", hint=f"Add the line that ends it to {path}"
        )


def without_stacks(text: str, stacks: Iterable[str]) -> str:
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


def without_links(text: str, page: str, gone: AbstractSet[str]) -> str:
    """Return the text of a page in which links to what is gone are their texts alone.

    Args:
        text: Markdown.
        page: the path of the page in the repository.
        gone: paths in the repository, also with the anchor of a heading.
    """

    def unlinked(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), link[2])) if link[2] else page
        return link[1] if {target, f"{target}{link[3] or ''}"} & gone else link[0]

    return _LINK.sub(unlinked, text)
