"""Which pipelines can be started in an environment, and which are waiting for something."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from helpers.environments import Environment
from helpers.errors import UserError
from ml_pipeline.commands import start
from ml_pipeline.executions.parameters import NotReadyError
from ml_pipeline.executions.target import ALL, Target, startable_pipelines
from ml_pipeline.params import DEFAULT_PIPELINE
from ml_pipeline.params.files import is_enabled
from tests.ml_pipeline.two_steps import NAME, PAIR, add_pipeline, changed

TARGET = Target(Environment("local"), "score", "score-local")
NOTHING = "No fares are approved."


@pytest.fixture
def _second(small_project: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a second pipeline to the small project, which is not executed in live."""
    document = changed(PAIR, "environments/live/enabled", False)
    add_pipeline(tmp_path, tmp_path / "jobs", monkeypatch, document)


@pytest.mark.usefixtures("_second")
def test_a_pipeline_is_executed_where_it_is_enabled() -> None:
    def names(environment: str) -> list[str]:
        return [each.name for each in startable_pipelines(ALL, Environment(environment))]

    assert names("trial") == [DEFAULT_PIPELINE, NAME]
    assert names("live") == [DEFAULT_PIPELINE]
    assert [each.name for each in startable_pipelines(NAME, Environment("trial"))] == [NAME]


@pytest.mark.usefixtures("_second")
def test_one_that_is_asked_for_by_its_name_is_rejected_elsewhere() -> None:
    with pytest.raises(
        UserError, match=r"ride-joins is not executed in live: .*ride-joins\.json has enabled"
    ):
        startable_pipelines(NAME, Environment("live"))


def test_enabled_is_true_or_false(
    small_project: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_pipeline(tmp_path, tmp_path / "jobs", monkeypatch, changed(PAIR, "enabled", "no"))

    with pytest.raises(UserError, match=r"ride-joins\.json: enabled = 'no' is not a Boolean"):
        is_enabled("trial", NAME)


@pytest.mark.parametrize("pipeline", [ALL, "score"])
def test_of_all_pipelines_one_that_is_not_ready_is_left_out(
    pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reject(*_: object, **__: object) -> str:
        raise NotReadyError(NOTHING)

    monkeypatch.setattr(start, "begin", reject)
    console, arguments = (
        Console(record=True, quiet=False, width=500),
        Namespace(pipeline=pipeline, cache="on"),
    )
    session: Any = None

    if pipeline != ALL:
        with pytest.raises(NotReadyError):
            start.begin_if_possible(session, TARGET, console, arguments)
    else:
        assert start.begin_if_possible(session, TARGET, console, arguments) is None
        assert f"score-local was not started. {NOTHING}" in console.export_text()
