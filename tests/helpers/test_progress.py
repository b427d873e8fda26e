"""The progress of long commands."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from helpers import progress as module
from helpers.progress import KEPT_COMMANDS, KEPT_RUNS, Progress, progress


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of durations."""
    monkeypatch.setattr(module, "DURATIONS", tmp_path / ".cache" / "durations.json")
    return module.DURATIONS


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


Work = Callable[[Progress, Clock], None]


def shown(*names: str, work: Work, key: str = "deploy", terminal: bool = False) -> str:
    out, clock = io.StringIO(), Clock()
    console = Console(file=out, width=100, force_terminal=terminal, force_interactive=terminal)
    with progress(key, "dev", names, console, clock) as steps:
        work(steps, clock)
    return out.getvalue()


def taking(seconds: dict[str, float]) -> Work:
    """Return work whose steps take a given time."""

    def work(steps: Progress, clock: Clock) -> None:
        for name, each in seconds.items():
            with steps.step(name):
                clock.now += each

    return work


def test_the_first_run_has_no_estimate_and_the_next_one_has() -> None:
    work = taking({"keys": 20, "network": 100})

    assert shown("keys", "network", work=work) == "[1/2] keys\n[2/2] network\n"
    assert shown("keys", "network", work=work) == (
        "[1/2] keys, about 2 min 00 s left\n[2/2] network, about 1 min 40 s left\n"
    )


def test_a_step_without_a_measurable_duration_has_an_estimate() -> None:
    work = taking({"keys": 20, "models": 0.04})
    shown("keys", "models", work=work)

    assert shown("keys", "models", work=work).startswith("[1/2] keys, about 20 s left\n")


def test_an_estimate_is_the_median_of_the_last_runs(kept: Path) -> None:
    for seconds in (900, 900, 10, 20, 30, 40, 1000):
        shown("keys", work=taking({"keys": seconds}))

    assert json.loads(kept.read_text()) == {"deploy dev": {"keys": [10, 20, 30, 40, 1000]}}
    assert KEPT_RUNS == 5
    assert shown("keys", work=taking({"keys": 1})) == "[1/1] keys, about 30 s left\n"


def test_a_step_that_has_nothing_to_do_is_left_out() -> None:
    shown("keys", "network", "roles", work=taking({"keys": 5, "network": 60, "roles": 10}))

    assert shown("keys", "network", "roles", work=taking({"roles": 10})) == "[3/3] roles, about 10 s left\n"


def test_work_that_is_repeated_is_estimated_after_the_first_time() -> None:
    def work(steps: Progress, clock: Clock) -> None:
        for _ in range(3):
            with steps.step("run"):
                clock.now += 30

    assert shown("run", "run", "run", work=work).splitlines() == [
        "[1/3] run",
        "[2/3] run, about 1 min 00 s left",
        "[3/3] run, about 30 s left",
    ]


def test_what_fails_or_does_nothing_is_not_measured(kept: Path) -> None:
    def work(steps: Progress, clock: Clock) -> None:
        with steps.step("keys"):
            clock.now += 7
        with steps.step("network") as step:
            step.discard()
        with steps.step("roles"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shown("keys", "network", "roles", work=work)

    assert json.loads(kept.read_text()) == {"deploy dev": {"keys": [7]}}


def test_the_file_stays_small(kept: Path) -> None:
    for number in range(KEPT_COMMANDS + 3):
        shown("keys", work=taking({"keys": 1}), key=f"command-{number}")
    shown("keys", work=taking({"keys": 1}), key="command-3")

    keys = list(json.loads(kept.read_text()))
    assert len(keys) == KEPT_COMMANDS
    assert keys[0] == "command-4 dev"
    assert keys[-1] == "command-3 dev"
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"deploy dev": 3}', '{"deploy dev": {"keys": [null]}}'])
def test_a_file_that_cannot_be_used_is_written_again(content: str, kept: Path) -> None:
    kept.parent.mkdir()
    kept.write_text(content)

    assert shown("keys", "network", work=taking({"keys": 1})) == "[1/2] keys\n"
    assert json.loads(kept.read_text()) == {"deploy dev": {"keys": [1]}}


def test_a_folder_that_cannot_be_written_is_not_a_reason_to_fail(kept: Path) -> None:
    kept.parent.write_text("a file")

    assert shown("keys", "network", work=taking({"keys": 1})) == "[1/2] keys\n"


def test_a_single_step_that_is_not_known_is_not_mentioned() -> None:
    assert shown("execution", work=taking({"execution": 1})) == ""


def test_a_terminal_has_a_bar_below_the_lines() -> None:
    shown("keys", "network", work=taking({"keys": 20, "network": 100}))

    drawn = shown("keys", "network", work=taking({"keys": 20}), terminal=True)

    assert drawn.splitlines()[0] == "[1/2] keys, about 2 min 00 s left"
    assert "━" in drawn
    assert "about 1 min 40 s left" in drawn, "it is counted down"
