"""The style of error messages for users: the problem, and separately the remedy."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ERRORS = {"UserError", "EventLogError", "OutdatedError", "RunFailedError"}

VERBS = {
    *("Add", "Check", "Choose", "Close", "Commit", "Complete", "Continue", "Copy", "Correct", "Create"),
    *("Delete", "Deliver", "Deploy", "End", "Fetch", "Find", "Get", "Give", "Install", "Keep", "Leave"),
    *("Look", "Make", "Move", "Name", "Pass", "Pin", "Put", "Read", "Refresh", "Register", "Remove"),
    *("Rename", "Request", "Reset", "Resolve", "Restore", "Run", "Save", "Set", "Shorten", "Sign", "Start"),
    *(
        "Agree",
        "Approve",
        "Change",
        "Compare",
        "Correct",
        "Export",
        "List",
        "Promote",
        "Register",
        "Reject",
        "Return",
        "Score",
    ),
    *("Stop", "Train", "Tune", "Type", "Undo", "Unset", "Use", "Wait", "Write", "Lock", "Begin", "Report"),
}
"""The first word of a hint, possibly after a condition or a purpose: If nobody needs it, delete it."""
CONDITION = re.compile(r"(?:If|To|As|From) [^,]+, (?P<verb>\w+)")
REMEDY = re.compile(
    rf"[;:.] (?i:{'|'.join(VERBS)})\b|\b(?:make|aws) [a-z-]+(?: |$|\.)|\b[Rr]un: |try again",
)
"""A remedy in the message of an error, in various styles."""


@dataclass(frozen=True)
class Raised:
    """An error in the source; {} replaces parts that are not literals."""

    place: str
    message: str
    hint: str | None
    """None if it is not a literal."""
    keywords: frozenset[str | None]


def _text(node: ast.expr, constants: dict[str, ast.expr]) -> str | None:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, constants) or "{}" for part in parts)
        case ast.Name(id=name) if name in constants:
            return _text(constants[name], constants)
        case ast.IfExp(body=body):
            return _text(body, constants)
    return None


def _raised(source: str, place: str) -> Iterator[Raised]:
    tree = ast.parse(source)
    own = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").split(".")[0] in {"helpers", "ml_pipeline"}
        and node.module != "helpers.local_aws.xgboost_container.errors"  # AWS's image words them
        for alias in node.names
    } | {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    constants = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS & own:
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            yield Raised(
                f"{place}:{node.lineno}",
                _text(node.args[0], constants) or "",
                _text(given["hint"], constants) if "hint" in given else None,
                frozenset(given),
            )


def _all() -> list[Raised]:
    return [
        found
        for folder in ("helpers", "ml_pipeline")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for found in _raised(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]


def _faults(found: Raised) -> list[str]:
    faults = []
    if "hint" not in found.keywords:
        faults.append("no hint")
    if remedy := REMEDY.search(found.message):
        faults.append(f"a fix in the message: {remedy[0]!r}")
    if found.message.endswith("."):
        faults.append("a message with a period at its end")
    if found.hint is not None:
        conditional = CONDITION.match(found.hint)
        verb = conditional["verb"].capitalize() if conditional else found.hint.split()[0]
        if verb not in VERBS and not found.hint.startswith("{}"):
            faults.append(f"a hint that begins with {verb!r}")
        if found.hint.endswith("."):
            faults.append("a hint with a period at its end")
    return [f"{found.place}: {fault}" for fault in faults]


def test_each_error_reports_what_is_wrong_and_as_a_hint_what_to_do() -> None:
    raised = _all()

    assert len(raised) > 200
    assert [fault for found in raised for fault in _faults(found)] == []


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("UserError('a.json: x is 1')", "no hint"),
        ("UserError('a.json is missing; create it', hint='Create it')", "a fix in the message: '; create'"),
        ("UserError('no stack. Deploy it: make deploy', hint='Run it')", "a fix in the message: '. Deploy'"),
        ("UserError('no log; run: make start', hint='Start it')", "a fix in the message: '; run'"),
        ("UserError(f'{name} failed, try again', hint='Wait')", "a fix in the message: 'try again'"),
        ("UserError('no stack.', hint='Deploy it')", "a message with a period at its end"),
        ("UserError('no stack', hint='Deploy it.')", "a hint with a period at its end"),
        ("UserError('no stack', hint='It must be deployed')", "a hint that begins with 'It'"),
    ],
)
def test_each_of_the_styles_is_found(call: str, fault: str) -> None:
    (found,) = _raised(f"from helpers.errors import UserError\nraise {call}", "here")

    assert _faults(found) == [f"here:2: {fault}"]
