"""The progress of long commands: the current step, and the remaining time estimated from earlier runs.

A log gets a line for each step, a terminal a bar below the output as well.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.command_line import print_line
from helpers.errors import UserError
from helpers.files import write_atomically

if TYPE_CHECKING:
    from rich.console import Console

DURATIONS = Path(__file__).parents[1] / ".cache" / "durations.json"
"""How long the steps of commands took: by command and environment, by step, the last seconds."""
KEPT_RUNS = 5
KEPT_COMMANDS = 100

OneStep = Callable[[str], AbstractContextManager[object]]
"""What is entered with the name of a step while it runs: `Progress.step`, or `nullcontext`."""
History = dict[str, dict[str, list[float]]]


@dataclass
class Step:
    """A step that runs."""

    name: str
    counts: bool = True

    def discard(self) -> None:
        """Leave its duration out of estimates: it failed, or nothing had changed."""
        self.counts = False


@dataclass
class Progress:
    """The steps of one command; see `progress`."""

    steps: Sequence[str]
    console: "Console"
    seconds: dict[str, list[float]]
    """By step, how long it took lately."""
    clock: Callable[[], float]
    measured: dict[str, list[float]] = field(default_factory=dict)
    """What this run adds."""
    _begun: int = 0
    _started: float = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Show that a step has begun, and measure it.

        Args:
            name: one of the steps; those before it that did not begin are left out.
        """
        self._begun = self._begun + self.steps[self._begun :].index(name) + 1
        self._started = self.clock()
        step = Step(name)
        if line := self.line():
            print_line(self.console, line)
        with self._bar():
            yield step
        if step.counts:
            self.measured.setdefault(name, []).append(self.clock() - self._started)

    def line(self) -> str:
        """Return the step that runs and the time that is left; nothing of a single step that is not known."""
        left = self.left()
        if left is None and len(self.steps) == 1:
            return ""
        rest = "" if left is None else f", about {duration(left)} left"
        return f"[{self._begun}/{len(self.steps)}] {self.steps[self._begun - 1]}{rest}"

    def left(self) -> float | None:
        """Return the seconds that the running step and those after it still take, where all are known."""
        known = [self._usual(name) for name in self.steps[self._begun - 1 :]]
        if not all(known):
            return None
        return max(0.0, sum(filter(None, known)) - (self.clock() - self._started))

    def _usual(self, name: str) -> float | None:
        seconds = [*self.seconds.get(name, []), *self.measured.get(name, [])][-KEPT_RUNS:]
        return statistics.median(seconds) if seconds else None

    def _bar(self) -> AbstractContextManager[object]:
        if not self.console.is_interactive:
            return nullcontext()
        from helpers.progress_bar import bar  # noqa: PLC0415 - not needed in a log

        return bar(self.console, self.line, self._begun - 1, len(self.steps))


@contextmanager
def progress(
    command: str,
    environment: str,
    steps: Sequence[str],
    console: "Console",
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Progress]:
    """Show the progress of a command, and keep how long its steps took for the next one's estimate.

    Args:
        command: its name, as `deploy`.
        environment: the environment, or what else distinguishes runs that take more or less time.
        steps: their names in their order; a name that stands there twice is the same work again.
        console: where to show it.
        clock: returns seconds.
    """
    key = f"{command} {environment}"
    shown = Progress(steps, console, _read().get(key, {}), clock)
    try:
        yield shown
    finally:
        if shown.measured:
            _add(key, shown.measured)


def duration(seconds: float) -> str:
    """Return a duration for people, as 4 s, 2 min 05 s or 1 h 07 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _read() -> History:
    """Return what is kept; nothing where it cannot be read, because estimates must not fail a command."""
    try:
        content = json.loads(DURATIONS.read_text(encoding="utf-8"))
        return {
            str(key): {str(name): [float(each) for each in seconds] for name, seconds in steps.items()}
            for key, steps in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _add(key: str, measured: dict[str, list[float]]) -> None:
    history = _read()
    before = history.pop(key, {})
    steps = {
        name: [*before.get(name, []), *(round(each, 1) for each in seconds)][-KEPT_RUNS:]
        for name, seconds in measured.items()
    }
    newest = {**history, key: {**before, **steps}}
    for oldest in list(newest)[:-KEPT_COMMANDS]:
        del newest[oldest]
    with suppress(OSError, UserError):
        DURATIONS.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(DURATIONS, json.dumps(newest, indent=1) + "\n")
