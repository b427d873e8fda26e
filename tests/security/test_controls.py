"""The security page says what is there, and nothing else."""

import re
import shutil
from pathlib import Path

import pytest
from controls import PAGE, Control, load, with_table


@pytest.mark.parametrize("control", load(), ids=lambda control: control.control[:60])
def test_a_control_has_its_text_its_test_and_its_names(control: Control) -> None:
    assert control.line_number()
    assert not control.missing_tests()
    assert control.identifiers, "say `none`, and why, where nobody else has a name for it"


def test_the_page_has_the_table_as_it_is_now() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert with_table(page, load()) == page, "run: make security-page"


def test_checkov_has_the_checks_that_the_table_names_and_for_cloudformation_unless_it_says_so() -> None:
    program = shutil.which("checkov")
    assert program
    (package,) = Path(program).parents[1].glob("lib/python3*/site-packages/checkov")

    def known(framework: str) -> set[str]:
        files = [
            path for path in (package / framework).rglob("*.*") if path.suffix in {".py", ".json", ".yaml"}
        ]
        return {
            found for path in files for found in re.findall(r"\bCKV2?_AWS_\d+\b", path.read_text("utf-8"))
        }

    named = [
        found for control in load() for found in re.findall(r"(CKV\w+)( \(Terraform\))?", control.identifiers)
    ]
    assert named
    assert {name for name, terraform in named if not terraform} - known("cloudformation/checks") == set()
    assert {name for name, terraform in named if terraform} - known("terraform/checks") == set()
