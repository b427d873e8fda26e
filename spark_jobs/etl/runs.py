"""The runs of a job: a folder for each, and the report that refers to the newest complete one."""

from __future__ import annotations

import json
import os
import re
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from etl.errors import JobError
from etl.storage import Storage, s3_settings, storage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession

RUNS_KEPT_DAYS = 10
"""Longer than any processing job may run (9 days), so what is older is neither written nor read."""
DAY_MS = 24 * 60 * 60 * 1000


class Run(NamedTuple):
    """One run of a job, which writes to folders that no other run writes to."""

    name: str
    """The name of the processing job; of a run without SageMaker the time, and something random."""
    report_folder: str
    days_kept: int
    """How long runs are kept, in days."""

    def below(self, output: str) -> str:
        """Return the folder of this run below an output of the job."""
        return f"{output.rstrip('/')}/runs/{self.name}"


def begin_run(output: str) -> Run:
    """Return a new run, as the environment describes it.

    `PROCESSING_JOB_CONFIG` is the file in which SageMaker describes the processing job, `REPORT_FOLDER` the
    folder of the report, `RUNS_KEPT_DAYS` the days that runs are kept. All of them may be unset.

    Args:
        output: folder of the report where `REPORT_FOLDER` is unset.

    Raises:
        JobError: a variable has no usable value.
    """
    days = os.environ.get("RUNS_KEPT_DAYS") or str(RUNS_KEPT_DAYS)
    if not re.fullmatch("[1-9][0-9]{0,4}", days):
        raise JobError(f"RUNS_KEPT_DAYS={days}: expected a number of days from 1 to 99999")
    folder = os.environ.get("REPORT_FOLDER") or output
    return Run(_run_name(os.environ.get("PROCESSING_JOB_CONFIG")), folder.rstrip("/"), int(days))


def _run_name(job_config: Optional[str]) -> str:
    if not job_config:
        return f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
    try:
        name = json.loads(Path(job_config).read_text(encoding="utf-8"))["ProcessingJobName"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise JobError(
            f"PROCESSING_JOB_CONFIG={job_config}: no ProcessingJobName can be read from it "
            f"({type(error).__name__}: {error}); name SageMaker's processingjobconfig.json, or unset it"
        ) from error
    return str(name)


def publish_report(spark: SparkSession, run: Run, report: Mapping[str, Any]) -> list[str]:
    """Write the report of a complete run, and delete runs that are no longer read.

    The report is written to the run's folder. Finally, it atomically replaces `report.json` of the report
    folder, so that readers of that file always see a complete run.

    Returns:
        The folders of runs that were removed.
    """
    newest = f"{run.report_folder}/report.json"
    settings = s3_settings(spark)
    files = storage(newest, settings)
    before = files.read_text(newest)
    own = write_report(spark, run, report)
    files.write(newest, _text(report).encode())
    now = next(iter(files.files(own))).modified_ms  # by the clock that all files go by
    inside = f"/runs/{run.name}/"
    folders = [output["folder"] for output in report["outputs"].values()]
    bases = {run.report_folder, *(folder.partition(inside)[0] for folder in folders if inside in folder)}
    removed = []
    for runs in sorted(f"{base}/runs" for base in bases):
        files = storage(runs, settings)
        modified = {name: _last_modified(files, f"{runs}/{name}") for name in files.folders(runs)}
        for outdated in outdated_runs(modified, run.name, now - run.days_kept * DAY_MS, before):
            files.delete(f"{runs}/{outdated}")
            removed.append(f"{runs}/{outdated}")
    return removed


def write_report(spark: SparkSession, run: Run, report: Mapping[str, Any]) -> str:
    """Write the report into the folder of its run alone, which publishes nothing; return its URI."""
    own = f"{run.below(run.report_folder)}/report.json"
    storage(own, s3_settings(spark)).write(own, _text(report).encode())
    return own


def _text(report: Mapping[str, Any]) -> str:
    return json.dumps(report, indent=2) + "\n"


def _last_modified(files: Storage, run: str) -> int:
    """Return when a run wrote its report, in milliseconds since 1970; without one, its newest file."""
    reports = [file.modified_ms for file in files.files(f"{run}/report.json")]
    return max(reports or [file.modified_ms for file in files.files(run)], default=0)


def outdated_runs(modified: Mapping[str, int], newest: str, limit: int, report: str) -> list[str]:
    """Return the runs that nobody writes or reads any more.

    Younger ones stay: a reader may have been led to one, another job may be writing one.

    Args:
        modified: when each run was written, in milliseconds since 1970.
        newest: the run that has just been published.
        limit: the time before which a run is outdated.
        report: text of the report before it; the run that it names stays as well.

    >>> outdated_runs({"a": 1, "b": 2, "c": 3, "d": 4}, "d", 3, "…/runs/b/csv")
    ['a']
    """
    kept = {newest, *re.findall(r"/runs/([^/\"]+)", report)}
    return sorted(run for run, time_ms in modified.items() if time_ms < limit and run not in kept)
