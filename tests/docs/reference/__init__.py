"""The pages of docs/reference, generated from the code: `make reference`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.docs.reference.commands import commands_page
from tests.docs.reference.errors import errors_page
from tests.docs.reference.parameters import parameters_page

FOLDER = Path(__file__).parents[3] / "docs" / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "parameters.md": parameters_page,
    "errors.md": errors_page,
}
