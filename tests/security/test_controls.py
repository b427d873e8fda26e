"""The security page says what is there, and nothing else."""

import pytest
from controls import PAGE, Control, load, with_table


@pytest.mark.parametrize("control", load(), ids=lambda control: control.control[:60])
def test_a_control_has_its_text_and_its_test(control: Control) -> None:
    assert control.line_number()
    assert control.test_exists(), f"there is no {control.test}"


def test_the_page_has_the_table_as_it_is_now() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert with_table(page, load()) == page, "run: make security-page"
