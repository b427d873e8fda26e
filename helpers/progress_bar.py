"""The progress bar of a command on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TimeElapsedColumn
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console


class _Line(ProgressColumn):
    """A column whose text is computed each time the bar is drawn."""

    def __init__(self, line: Callable[[], str]):
        super().__init__()
        self._line = line

    def render(self, task: Task) -> Text:
        return Text(self._line() or task.description)


@contextmanager
def bar(console: "Console", line: Callable[[], str], done: int, total: int) -> Iterator[None]:
    """Show a bar below the output until the step has ended.

    Args:
        console: a terminal.
        line: returns the current step and the remaining time.
        done: the number of steps that have ended.
        total: the number of steps.
    """
    columns = (SpinnerColumn(), BarColumn(bar_width=20), TimeElapsedColumn(), _Line(line))
    with Progress(*columns, console=console, transient=True) as shown:
        shown.add_task("", total=total, completed=done)
        yield
