"""Measures the job of `make run` on the sample's 4,177 rows against an earlier commit.

Each commit has a separate worktree and embedded AWS. Executions alternate, without the step cache.
"""

import shlex
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3

from tests.bench.commands import BASELINE, Checkout, checkout


def measure(rounds: int, folder: Path) -> dict[str, Any]:
    """Measure both alternately, after one run of each that warms the file cache."""
    with ExitStack() as stack:
        checkouts = {
            name: stack.enter_context(checkout(commit, folder / name))
            for name, commit in (("before", BASELINE), ("now", "HEAD"))
        }
        for each in checkouts.values():
            each.make("run")
        seconds: dict[str, list[float]] = {name: [] for name in checkouts}
        for number in range(1, rounds + 1):
            for name, each in checkouts.items():
                each.make("start", "CACHE=off")
                seconds[name].append(container_seconds(each))
                print(f"round {number}: {name}: {seconds[name][-1]:.2f} s", file=sys.stderr, flush=True)
    pairs = list(zip(*seconds.values(), strict=True))
    return {
        "baseline": BASELINE,
        "rounds": [{"before": before, "now": now} for before, now in pairs],
        "ratio": round(statistics.median(now / before for before, now in pairs), 3),
    }


def container_seconds(where: Checkout) -> float:
    """Return how long the newest processing job of a checkout's embedded AWS ran, in seconds."""
    variables = exported(where.output("-s", "env"))
    sagemaker = boto3.client(
        "sagemaker",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )
    newest = sagemaker.list_processing_jobs(SortBy="CreationTime", SortOrder="Descending", MaxResults=1)
    name = newest["ProcessingJobSummaries"][0]["ProcessingJobName"]
    job = sagemaker.describe_processing_job(ProcessingJobName=name)
    return float((job["ProcessingEndTime"] - job["ProcessingStartTime"]).total_seconds())


def exported(script: str) -> dict[str, str]:
    """Return the variables that a shell script exports."""
    lines = (shlex.split(line) for line in script.splitlines())
    words = [word for line in lines if line[:1] == ["export"] for word in line[1:]]
    return dict(word.split("=", 1) for word in words if "=" in word)
