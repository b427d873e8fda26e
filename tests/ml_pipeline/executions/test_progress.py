from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from helpers.progress import duration
from ml_pipeline.executions.executions import Snapshot, Step, step_of
from ml_pipeline.executions.live_table import table
from ml_pipeline.executions.progress import changes, stamped

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=65)
RUNNING = Step("clean", "Executing", started=NOON, job_arn="job-1")


def test_the_first_snapshot_reports_everything() -> None:
    assert changes(None, Snapshot("arn", "Executing", steps=(RUNNING,)), NOON) == [
        "step clean Executing",
        "execution Executing",
    ]


def test_unchanged_values_are_not_shown() -> None:
    snapshot = Snapshot("arn", "Executing", steps=(RUNNING,))

    assert changes(snapshot, snapshot, LATER) == []


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (Step("clean", "Succeeded", NOON, LATER), "step clean Succeeded after 1 min 05 s"),
        (Step("clean", "Succeeded", NOON, NOON, reused_from="arn"), "step clean Succeeded (cached)"),
        (Step("clean", "Executing", NOON, attempts=2), "step clean Executing (attempt 2)"),
        (Step("clean", "Stopping", NOON), "step clean Stopping"),
    ],
)
def test_a_change_of_a_step_is_one_line(after: Step, line: str) -> None:
    before = Snapshot("arn", "Executing", steps=(RUNNING,))

    assert changes(before, Snapshot("arn", "Executing", steps=(after,)), LATER) == [line]


def test_the_table_has_the_newest_line_of_each_job_as_it_was_written() -> None:
    console = Console(record=True, width=100, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115 - a sink
    waiting = Step("next", "Starting")

    console.print(table(Snapshot("a/b", "Executing", steps=(RUNNING, waiting)), {"job-1": "[INFO] 7"}, LATER))

    text = console.export_text()
    assert "b: Executing" in text
    assert "1 min 05 s" in text
    assert "[INFO] 7" in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (3725, "1 h 02 min")]
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_lines_carry_the_time_in_utc() -> None:
    assert stamped("x", NOON) == "12:00:00Z x"


def test_a_step_of_the_api_is_read_with_its_job_and_its_source() -> None:
    entry = {
        "StepName": "clean",
        "StepStatus": "Succeeded",
        "CacheHitResult": {"SourcePipelineExecutionArn": "source"},
        "Metadata": {"ProcessingJob": {"Arn": "arn:aws:sagemaker:r:1:processing-job/job-1"}},
    }

    assert step_of(entry) == Step(
        "clean", "Succeeded", reused_from="source", job_arn="arn:aws:sagemaker:r:1:processing-job/job-1"
    )
