"""Pages are readable: sentences are short. Links lead to existing files and headings.

Words and spelling are checked by codespell, in `make lint`.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page for folder in (".", ".github", "docs", "docs/reference") for page in (ROOT / folder).glob("*.md")
)
GENERATED = ("spark-configuration.md", "parameters.md")
"""Their sentences come from messages of commands, or from descriptions in templates."""
WORDS = 40
"""Readers must usually read a longer sentence twice."""
MARKDOWN = MarkdownIt().enable("table")


@pytest.fixture(params=PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def page(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_sentences_are_short(page: Path) -> None:
    if page.name in GENERATED:
        pytest.skip("it is generated")
    long = [each for text in texts(page) for each in sentences(text) if len(each.split()) > WORDS]

    assert not long, "\n".join(long)


def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in links(page) if not leads_somewhere(page, link)]

    assert not broken, f"{page.relative_to(ROOT)}: {', '.join(broken)}"


def texts(page: Path) -> Iterator[str]:
    """Paragraphs, items and cells; code in them counts as a word."""
    for token in inline(page):
        yield "".join(
            "code" if child.type == "code_inline" else " " if child.type == "softbreak" else child.content
            for child in token.children or ()
        )


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?:;])\s+", text)


def links(page: Path) -> Iterator[str]:
    """Links within this repository; external links are not checked."""
    for token in inline(page):
        for child in token.children or ():
            address = str(child.attrGet("href") or child.attrGet("src") or "")
            if address and "://" not in address:
                yield address


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = page.parent / path if path else page
    if not target.exists():
        return False
    return target.suffix != ".md" or not heading or heading in headings(target)


def headings(page: Path) -> set[str]:
    """The anchors that GitHub creates for headings."""
    tokens = MARKDOWN.parse(page.read_text(encoding="utf-8"))
    found = (after.content for before, after in pairwise(tokens) if is_heading(before))
    return {re.sub(r"[^\w\- ]", "", text).strip().lower().replace(" ", "-") for text in found}


def is_heading(token: Token) -> bool:
    return token.type == "heading_open"


def inline(page: Path) -> Iterator[Token]:
    tokens = MARKDOWN.parse(page.read_text(encoding="utf-8"))
    return (token for token in tokens if token.type == "inline")
