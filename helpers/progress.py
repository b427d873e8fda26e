"""Shows the progress of long commands: the current step, and the remaining time estimated from earlier runs.

Each step prints a line. On a terminal, a progress bar is shown below the output.
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
"""Durations of steps: by command and environment, then by step, the seconds of the last runs."""
KEPT_RUNS = 5
KEPT_COMMANDS = 100

OneStep = Callable[[str], AbstractContextManager[object]]
"""Returns a context manager around a step, given its name: `Progress.step`, or `nullcontext`."""
History = dict[str, dict[str, list[float]]]


@dataclass
class Step:
    """A running step."""

    name: str
    counts: bool = True

    def discard(self) -> None:
        """Exclude its duration from estimates, because it failed or there was nothing to do."""
        self.counts = False


@dataclass
class Progress:
    """The steps of one command; see `progress`."""

    steps: Sequence[str]
    console: "Console"
    seconds: dict[str, list[float]]
    """Durations of earlier runs by step, in seconds."""
    clock: Callable[[], float]
    measured: dict[str, list[float]] = field(default_factory=dict)
    """Durations of this run by step, in seconds."""
    _begun: int = 0
    _started: float = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Show that a step starts, and measure its duration.

        Args:
            name: one of the steps; earlier steps that did not start are skipped.
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
        """Return the current step and the remaining time; empty for a single step without an estimate."""
        left = self.left()
        if left is None and len(self.steps) == 1:
            return ""
        rest = "" if left is None else f", about {duration(left)} left"
        return f"[{self._begun}/{len(self.steps)}] {self.steps[self._begun - 1]}{rest}"

    def left(self) -> float | None:
        """Return the estimated seconds until the last step ends, or None if a step has no estimate."""
        estimates = [self._usual(name) for name in self.steps[self._begun - 1 :]]
        known = [seconds for seconds in estimates if seconds is not None]
        if len(known) < len(estimates):
            return None
        return max(0.0, sum(known) - (self.clock() - self._started))

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
    """Show the progress of a command, and save the durations of its steps for later estimates.

    Args:
        command: its name, such as `deploy`.
        environment: the environment, or another key of runs with a similar duration.
        steps: the names of the steps in order; a name that occurs twice is the same work.
        console: the console that shows it.
        clock: returns a time in seconds.
    """
    key = f"{command} {environment}"
    shown = Progress(steps, console, _read().get(key, {}), clock)
    try:
        yield shown
    finally:
        if shown.measured:
            _add(key, shown.measured)


def duration(seconds: float) -> str:
    """Return a duration in seconds as text, such as 4 s, 2 min 05 s or 1 h 07 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _read() -> History:
    """Return the saved durations; empty if they cannot be read, because estimates must not fail a command."""
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
