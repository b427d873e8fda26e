"""The pages of docs/reference are up to date with `make reference`, and complete."""

import pytest

from tests.docs.reference import FOLDER, PAGES
from tests.docs.reference.commands import Makefile, undescribed
from tests.docs.reference.markdown import ROOT


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_current(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "run: make reference"


def test_every_variable_of_the_makefile_is_described() -> None:
    makefile = Makefile((ROOT / "Makefile").read_text(encoding="utf-8"))

    assert not undescribed(makefile), "add a line `#: NAME  description`"
    used = {name for target in makefile.targets for name in makefile.variables(target)}
    assert makefile.descriptions.keys() - used <= {"PYTHON"}, "no target uses them"


def test_every_parameter_has_a_meaning() -> None:
    rows = (FOLDER / "parameters.md").read_text(encoding="utf-8").splitlines()

    assert [row for row in rows if row.endswith("|  |")] == []
