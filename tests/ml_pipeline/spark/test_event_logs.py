"""Which event log belongs to an execution."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.spark.event_log.reading import LogFile
from ml_pipeline.executions.executions import Step
from ml_pipeline.executions.job_report import Executors, Report
from ml_pipeline.executions.outcome import StepOutcome
from ml_pipeline.spark.event_logs import application_of, log_of, log_uri, logged_executors

NOT_GRANTED = Path(__file__).parents[2] / "helpers" / "spark" / "event_log" / "not_granted"
START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def file(name: str, minutes: float = 0) -> LogFile:
    return LogFile(name, f"s3://bucket/logs/{name}", START + timedelta(minutes=minutes), lambda: None)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(("ended", "expected"), [(START + timedelta(minutes=5), "app-2"), (None, "app-3")])
def test_of_a_folder_that_jobs_share_it_is_the_one_written_during_the_job(ended, expected) -> None:
    files = [file("app-1", -10), file("app-2", 4), file("app-3", 30)]

    log = log_of(files, StepOutcome(Step("step", "Succeeded"), started=START, ended=ended))

    assert log is not None
    assert log.name == expected


def test_executors_that_a_report_does_not_have_are_read_from_the_event_log(tmp_path: Path) -> None:
    log = shutil.copy(next((NOT_GRANTED / "3.5.9").iterdir()), tmp_path)
    started = datetime.fromtimestamp(Path(log).stat().st_mtime, UTC)
    reported = Executors(requested=9, granted=9, cores=1, memory_mib=1)
    steps = [
        StepOutcome(Step(name, "Succeeded"), event_logs=str(tmp_path), started=started, report=report)
        for name, report in {
            "reported": Report(version=2, application_id="app", outputs={}, executors=reported),
            "logged": Report(version=1, application_id="app", outputs={}),
            "failed": None,
        }.items()
    ]
    project = SimpleNamespace(session=SimpleNamespace(client=lambda service: service))

    assert logged_executors(project, steps) == {
        "logged": Executors(requested=4, granted=2, cores=1, memory_mib=1024)
    }


def test_a_job_that_has_written_none_has_none() -> None:
    outcome = StepOutcome(Step("step", "Executing"), started=START)

    assert log_of([file("app-1", -10)], outcome) is None


@pytest.mark.parametrize(
    ("name", "application"),
    [
        ("application_17_0001", "application_17_0001"),
        ("application_17_0001.zstd", "application_17_0001"),
        ("app-2026-0000.inprogress", "app-2026-0000"),
        ("eventlog_v2_app-1/events_1_app-1.lz4", "app-1"),
    ],
)
def test_the_application_follows_from_the_file_name(name, application) -> None:
    assert application_of(file(name)) == application


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("app-1.zstd", "s3://bucket/logs/app-1.zstd"),
        ("eventlog_v2_app-1/events_1_app-1.zstd", "s3://bucket/logs/eventlog_v2_app-1"),
    ],
)
def test_all_parts_of_a_rolled_log_are_read(name, whole) -> None:
    assert log_uri(file(name)) == whole
