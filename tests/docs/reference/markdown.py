"""Common functions of reference pages: tables, and the docstrings of attributes."""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[3]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell(text) for text in line)} |" for line in lines)


def cell(text: str) -> str:
    """Return a text on one line; outside of code, nothing looks like HTML or the end of a cell."""
    line = " ".join(text.split()).replace("|", "\\|")
    return re.sub("`[^`]*`|<", lambda found: "&lt;" if found[0] == "<" else found[0], line)


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def docstrings(path: str, within: str = "") -> Mapping[str, str]:
    """Return the first paragraphs of attribute docstrings in a module, or in a class in it."""
    body: Sequence[ast.stmt] = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    if within:
        (body,) = (each.body for each in body if isinstance(each, ast.ClassDef) and each.name == within)
    found = {}
    for statement, after in pairwise(body):
        name = _assigned(statement)
        if name and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[name] = re.split(r"\n\s*\n", str(after.value.value))[0]
    return found


def _assigned(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None
