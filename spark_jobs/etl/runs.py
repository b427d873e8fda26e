"""Manages the runs of a job: the folder of each run, and the report that names the latest complete run."""

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
"""Default retention of runs. A processing job can run for up to 9 days, so older runs are not in use."""
DAY_MS = 24 * 60 * 60 * 1000


class Run(NamedTuple):
    """A run of a job. Each run writes to its own folders."""

    name: str
    """The name of the processing job. Without SageMaker, the time and a random suffix."""
    report_folder: str
    days_kept: int
    """The retention of runs in days."""

    def folder_in(self, output: str) -> str:
        """Return the folder of this run below an output of the job."""
        return f"{output.rstrip('/')}/runs/{self.name}"


def begin_run(output: str) -> Run:
    """Return a new run.

    Optional environment variables configure it. `PROCESSING_JOB_CONFIG` is the path of SageMaker's
    processingjobconfig.json, which contains the name of the processing job. `REPORT_FOLDER` is the folder
    of the report. `RUNS_KEPT_DAYS` is the retention of runs in days.

    Args:
        output: the folder of the report if `REPORT_FOLDER` is not set.

    Raises:
        JobError: the value of a variable is not valid.
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
    """Write the report of a complete run, and delete outdated runs.

    The report is written to the folder of the run. Then it atomically replaces `report.json` in the report
    folder, so that readers of that file always see a complete run.

    Returns:
        The folders of deleted runs.
    """
    newest = f"{run.report_folder}/report.json"
    settings = s3_settings(spark)
    files = storage(newest, settings)
    before = files.read_text(newest)
    own = write_report(spark, run, report)
    files.write(newest, _text(report).encode())
    now = next(iter(files.files(own))).modified_ms  # by the clock of the storage, not of this machine
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
    """Write the report to the folder of its run only, without publishing the run, and return its URI."""
    own = f"{run.folder_in(run.report_folder)}/report.json"
    storage(own, s3_settings(spark)).write(own, _text(report).encode())
    return own


def _text(report: Mapping[str, Any]) -> str:
    return json.dumps(report, indent=2) + "\n"


def _last_modified(files: Storage, run: str) -> int:
    """Return when the report of a run was written, or its newest file if there is no report.

    The time is in milliseconds since 1970.
    """
    reports = [file.modified_ms for file in files.files(f"{run}/report.json")]
    return max(reports or [file.modified_ms for file in files.files(run)], default=0)


def outdated_runs(modified: Mapping[str, int], newest: str, limit: int, report: str) -> list[str]:
    """Return the runs that are no longer written or read.

    Newer runs are kept, because a reader or another job may still use them.

    Args:
        modified: the time when each run was written, in milliseconds since 1970.
        newest: the published run.
        limit: the time before which runs are outdated, in milliseconds since 1970.
        report: the text of the previous report. The run that it names is kept.

    >>> outdated_runs({"a": 1, "b": 2, "c": 3, "d": 4}, "d", 3, "…/runs/b/csv")
    ['a']
    """
    kept = {newest, *re.findall(r"/runs/([^/\"]+)", report)}
    return sorted(run for run, time_ms in modified.items() if time_ms < limit and run not in kept)
