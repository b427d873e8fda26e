"""The exit code of `verify`: problems cause a failure, missing executors do not."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from helpers.spark.event_log.reading import EventLogError
from ml_pipeline.commands import verify
from ml_pipeline.executions.executions import Snapshot, Step
from ml_pipeline.executions.job_report import Executors, Report
from ml_pipeline.executions.outcome import StepOutcome

REPORT = Report(
    version=2,
    application_id="app-1",
    outputs={},
    executors=Executors(requested=30, granted=24, cores=4, memory_mib=13681),
)
OUTCOME = StepOutcome(Step("clean", "Succeeded"), job="job-1", report_uri="s3://b/report.json", report=REPORT)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the exit code and the output of `verify` for an outcome of a step."""

    def verified(
        outcome: StepOutcome, logged_executors: Callable[..., Any] = lambda *_: {}
    ) -> tuple[int, list[str]]:
        project = SimpleNamespace(
            session=SimpleNamespace(client=lambda service: service),
            target="processing",
            parameters=SimpleNamespace(pyspark_process_output_kms="key"),
        )
        monkeypatch.setattr(verify, "open_projects", lambda env, pipeline: [project])
        monkeypatch.setattr(verify, "newest", lambda sagemaker, target: "arn")
        monkeypatch.setattr(verify, "take_snapshot", lambda sagemaker, arn: Snapshot(arn, "Succeeded"))
        monkeypatch.setattr(verify, "read_outcomes", lambda session, snapshot: [outcome])
        monkeypatch.setattr(verify, "read_written", lambda s3, outcomes: {})
        monkeypatch.setattr(verify, "logged_executors", logged_executors)
        console = Console(record=True, quiet=False, width=500)
        code = verify.run(SimpleNamespace(env="local", pipeline=None), console)
        return code, console.export_text().splitlines()

    return verified


def test_executors_that_were_not_granted_are_a_warning(verified) -> None:
    code, lines = verified(OUTCOME)

    assert code == 0
    assert lines[0].startswith("Warning: step clean: executors: 24 of 30 requested, with 4 cores")
    assert lines[1:] == ["arn is verified: 0 objects, all encrypted."]


def test_an_event_log_that_cannot_be_read_is_a_warning(verified) -> None:
    def logged_executors(project: Any, outcomes: Any) -> None:
        raise EventLogError("app-1: damaged in line 7 or after it")

    code, lines = verified(
        replace(OUTCOME, report=REPORT.model_copy(update={"executors": None})), logged_executors
    )

    assert code == 0
    assert lines[0] == "Warning: the executors are not known: app-1: damaged in line 7 or after it"


def test_a_problem_fails_it(verified) -> None:
    code, lines = verified(replace(OUTCOME, report=None, report_problems=("no report",)))

    assert code == 1
    assert lines == ["Verification failed: step clean: no report", "arn: 1 problem"]
