"""Measures the seconds of everyday commands, and the CPU seconds of the tests, against an earlier commit.

Both commits are checked out in separate worktrees, and each command runs in both alternately, so that other
load on the machine affects both. They use the virtual environment of this checkout.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_pipeline.params import DEFAULT_PIPELINE
from tests.bench.measure import Cost, run

if TYPE_CHECKING:
    from collections.abc import Iterator

BASELINE = "a42d9124310f07425c3f9b36f802333e3eba6575"
"""The last commit before definitions were cached."""
ROOT = Path(__file__).parents[2]
INHERITED = ("ARGS", "AWS_", "COVERAGE_", "LOCAL_AWS_", "MAKE", "MFLAGS", "ROUNDS", "ROWS")
"""Prefixes of variables that are removed from the environment of the measured commands."""


@dataclass(frozen=True)
class Checkout:
    """A commit in a separate folder."""

    folder: Path

    def make(self, *words: str) -> Cost:
        """Run make, and return the cost of its own processes, without the server's."""
        return run(self._command(*words), _environment())

    def test(self, *, may_fail: bool) -> Cost:
        """Run the tests, and return the cost of all their processes, also of the servers that they start."""
        return run(self._command("test"), _environment(), may_fail=may_fail, detached=True)

    def output(self, *words: str) -> str:
        """Run make, and return its output."""
        command = self._command(*words)
        return subprocess.run(
            command, env=_environment(), stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def _command(self, *words: str) -> list[str]:
        return ["make", "-C", str(self.folder), f"VENV={ROOT / '.venv'}", *words]

    def forget(self) -> None:
        """Restore the state before the first run."""
        self.make("down")
        subprocess.run(["git", "-C", str(self.folder), "clean", "-qfdX"], check=True)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(INHERITED)}


@contextmanager
def checkout(commit: str, folder: Path) -> "Iterator[Checkout]":
    """Check out a commit into a worktree for the duration of the block.

    Raises:
        SystemExit: the history does not contain the commit, as in a repository created from the template.
    """
    git = ["git", "-C", str(ROOT)]
    if subprocess.run([*git, "cat-file", "-e", f"{commit}^{{commit}}"], check=False).returncode:
        sys.exit(f"This repository has no commit {commit}: fetch it, or leave the section out with --only.")
    subprocess.run([*git, "worktree", "add", "--quiet", "--detach", str(folder), commit], check=True)
    for file in folder.glob("requirements*.txt"):
        os.utime(file, (0, 0))  # older than the stamps of the virtual environment, so nothing is installed
    # Tests of the earlier commit expect it there, and would otherwise install one.
    (folder / ".venv").symlink_to(ROOT / ".venv")
    found = Checkout(folder)
    try:
        yield found
    finally:
        found.make("down")
        subprocess.run([*git, "worktree", "remove", "--force", str(folder)], check=True)


def measure(rounds: int, folder: Path) -> dict[str, Any]:
    """Measure a cold run, then commands without any change."""
    with ExitStack() as stack:
        before, now = (
            stack.enter_context(checkout(commit, folder / name))
            for name, commit in (("before", BASELINE), ("now", "HEAD"))
        )
        results = {"run, cold": _in_turn(before, now, rounds, _cold_run)}
        # The earlier commit has only this pipeline, and ignores the variable.
        pipeline = f"PIPELINE={DEFAULT_PIPELINE}"
        for target in ("run", "plan", "start", "drift"):
            results[target] = _in_turn(
                before, now, rounds, lambda each, target=target: each.make(target, pipeline)
            )
        return {"baseline": BASELINE, "results": results}


def measure_tests(folder: Path) -> dict[str, Any]:
    """Measure `make test` in both commits once, which takes minutes; print failures of the earlier commit."""
    with ExitStack() as stack:
        before, now = (
            stack.enter_context(checkout(commit, folder / name))
            for name, commit in (("before", BASELINE), ("now", "HEAD"))
        )
        return {
            "baseline": BASELINE,
            "results": {"test": _in_turn(before, now, 1, lambda each: each.test(may_fail=each is before))},
        }


def _cold_run(each: Checkout) -> Cost:
    each.forget()
    return each.make("run")


def _measured(name: str, checkout: Checkout, command: Callable[[Checkout], Cost]) -> Cost:
    cost = command(checkout)
    print(f"{name}: {cost}", file=sys.stderr, flush=True)
    return cost


def _in_turn(
    before: Checkout, now: Checkout, rounds: int, command: Callable[[Checkout], Cost]
) -> dict[str, Any]:
    """Return the medians of both, and the medians of the ratios of seconds and of CPU seconds."""
    pairs = [
        (_measured(f"round {number}: before", before, command), _measured("now", now, command))
        for number in range(1, rounds + 1)
    ]
    return {
        "before": statistics.median(pair[0].seconds for pair in pairs),
        "now": statistics.median(pair[1].seconds for pair in pairs),
        "ratio": round(statistics.median(b.seconds / a.seconds for a, b in pairs), 3),
        "cpu_ratio": round(statistics.median(b.cpu_seconds / a.cpu_seconds for a, b in pairs), 3),
    }
