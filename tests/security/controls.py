"""The table of controls in docs/security.md, generated from controls.yaml: `controls.py --write`.

A control names its implementation (`file` and the line that begins with `line`) and the tests that fail
without it. Both are verified, so that the page stays up to date. The patterns in `covers` name the parts of
the templates that it describes, so that every protection is in the table.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
SOURCE = Path(__file__).with_name("controls.yaml")
BEGIN, END = "<!-- controls: made from tests/security/controls.yaml -->", "<!-- end of controls -->"
HEADER = "| control | risk | where | proof | identifiers |\n|---|---|---|---|---|"
LEGEND = """
Identifiers are the rules with which a checker of `make security` checks the control: checkov (`CKV_AWS_18`),
cdk-nag (`AwsSolutions-S10`), cfn-guard with the proactive controls of AWS Control Tower (`CT.KMS.PR.1`),
cloudsplaining (`DataExfiltration`) and the service authorization reference (`UnknownAction`). A test compares
them with the rules that applied to a resource or a policy."""


@dataclass(frozen=True)
class Control:
    """A row of the table."""

    control: str
    risk: str
    file: str
    line: str
    test: str | list[str]
    identifiers: str
    covers: tuple[str, ...] | list[str] = ()

    @property
    def tests(self) -> list[str]:
        """The tests, as `file::name`."""
        return [self.test] if isinstance(self.test, str) else self.test

    def line_number(self) -> int:
        """Return the line number of the control's implementation.

        Raises:
            LookupError: the line does not exist, or exists more than once.
        """
        lines = (ROOT / self.file).read_text(encoding="utf-8").splitlines()
        found = [number for number, text in enumerate(lines, 1) if text.strip().startswith(self.line)]
        if len(found) != 1:
            raise LookupError(
                f"{self.control}: {self.file} has {len(found)} lines that begin with {self.line!r}"
            )
        return found[0]

    def missing_tests(self) -> list[str]:
        """Return the tests that do not exist."""
        return [test for test in self.tests if not _exists(*test.split("::"))]

    def row(self) -> str:
        """Return the control as a row of the table."""
        number = self.line_number()
        where = f"[{self.file}:{number}](../{self.file}#L{number})"
        proof = ", ".join(f"`{test}`" for test in self.tests)
        return f"| {self.control} | {self.risk} | {where} | {proof} | {self.identifiers} |"


def _exists(file: str, name: str) -> bool:
    path = ROOT / file
    return path.is_file() and bool(re.search(rf"^def {name}\(", path.read_text("utf-8"), re.MULTILINE))


def load() -> list[Control]:
    """Return the controls in the order of their file."""
    return [Control(**entry) for entry in yaml.safe_load(SOURCE.read_text(encoding="utf-8"))]


def with_table(page: str, controls: list[Control]) -> str:
    """Return the page with its table regenerated."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    table = "\n".join([BEGIN, HEADER, *(control.row() for control in controls), LEGEND, END])
    return before + table + after


if __name__ == "__main__":
    text = with_table(PAGE.read_text(encoding="utf-8"), load())
    if "--write" in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)
