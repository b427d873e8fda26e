"""Measures the pipeline `train` against its Spark jobs and a rerun, batch transform, and statistics.

Needs the embedded AWS. Both of a pair run alternately, within minutes.
"""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3

from helpers.environments import LOCAL, Environment
from helpers.s3 import parse
from ml_pipeline.executions.executions import newest, take_snapshot
from ml_pipeline.executions.target import targets
from tests.bench.measure import run
from tests.bench.step_overhead import run_bare

TARGET = targets(Environment(LOCAL), "train")[0]
MAKE = ("make", "PIPELINE=train", "ENV=local")


def measure(rounds: int, rows: int, folder: Path) -> dict[str, Any]:
    """Return the figures of all pairs.

    Args:
        rounds: rounds of each pair.
        rows: rows of the largest transform; the smaller one has a tenth of them.
        folder: folder for data.
    """
    _make("run")  # warms the file cache, and fills the step cache
    measured = []
    for number in range(1, rounds + 1):
        seconds = {
            "run": _make("run", "CACHE=off"),
            "spark_jobs": _bare_spark_jobs(as_shipped=True),
            "quick_start": _bare_spark_jobs(as_shipped=False),
            "unchanged": _make("run"),
        }
        measured.append(seconds)
        print(
            f"round {number}: cold {seconds['run']:.1f} s, "
            f"its Spark jobs alone {seconds['spark_jobs']:.1f} s, "
            f"with the quick start {seconds['quick_start']:.1f} s, unchanged {seconds['unchanged']:.1f} s",
            file=sys.stderr,
            flush=True,
        )
    return {
        "rounds": measured,
        "ratio": _median(each["run"] / each["spark_jobs"] for each in measured),
        "quick_start_ratio": _median(each["run"] / each["quick_start"] for each in measured),
        "unchanged_ratio": _median(each["unchanged"] / each["run"] for each in measured),
        "transform": _transforms(rows, rounds, folder),
        "statistics": _statistics(rows),
    }


def _median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 3)


def _make(*words: str) -> float:
    """Run a command and return its seconds."""
    began = time.monotonic()
    subprocess.run([*MAKE, *words], check=True, stdout=subprocess.DEVNULL)
    return round(time.monotonic() - began, 2)


def _jobs(kind: str) -> list[str]:
    """Return the names of jobs of a kind in the newest execution."""
    sagemaker = boto3.client("sagemaker")
    steps = take_snapshot(sagemaker, newest(sagemaker, TARGET)).steps
    return [step.job_arn.rpartition("/")[2] for step in steps if f":{kind}/" in step.job_arn]


def _bare_spark_jobs(*, as_shipped: bool) -> float:
    """Run each spark-submit of the newest execution directly; return the sum of their seconds.

    Args:
        as_shipped: as for `run_bare`.
    """
    sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
    described = [
        sagemaker.describe_processing_job(ProcessingJobName=name) for name in _jobs("processing-job")
    ]
    return round(sum(run_bare(s3, each, as_shipped=as_shipped) for each in described), 2)


def _transforms(rows: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Score repeated test data; the seconds include the start and the end of the server."""
    sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
    training = sagemaker.describe_training_job(TrainingJobName=_jobs("training-job")[0])
    archive = folder / "model.tar.gz"
    archive.write_bytes(_read(s3, training["ModelArtifacts"]["S3ModelArtifacts"]))
    transform = sagemaker.describe_transform_job(TransformJobName=_jobs("transform-job")[0])
    lines = _lines(s3, transform["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])
    results = {}
    for count in (rows // 10, rows):
        source, target = folder / f"transform-{count}", folder / "transformed"
        source.mkdir()
        times = -(-count // len(lines))
        with (source / "rows.csv").open("wb") as file:
            for _ in range(times):
                file.write(b"".join(lines))
        command = [sys.executable, "-m", "tests.bench.batch_transform", *map(str, (archive, source, target))]
        costs = []
        for _ in range(rounds):
            shutil.rmtree(target, ignore_errors=True)
            costs.append(run(command))
        scored = times * len(lines)
        seconds = statistics.median(cost.seconds for cost in costs)
        results[f"{count:,}"] = {
            "rows": scored,
            "seconds": round(seconds, 2),
            "rows_per_second": round(scored / seconds),
            "peak_mib": max(cost.peak_mib for cost in costs),
        }
        shutil.rmtree(source)
    return results


def _lines(s3: Any, folder: str) -> list[bytes]:
    uri = parse(folder)
    listed = s3.list_objects_v2(Bucket=uri.bucket, Prefix=uri.key)["Contents"]
    objects = (_read(s3, f"s3://{uri.bucket}/{each['Key']}") for each in listed)
    return [line for content in objects for line in content.splitlines(keepends=True)]


def _read(s3: Any, uri: str) -> bytes:
    found = parse(uri)
    content: bytes = s3.get_object(Bucket=found.bucket, Key=found.key)["Body"].read()
    return content


def _statistics(rows: int) -> Mapping[str, Any]:
    """Return the CPU seconds of a scan without and with statistics, in a process with its own settings."""
    program = (
        "import json; from tests.spark_jobs.model_quality import cost; "
        f"print(json.dumps(cost.measure({rows})))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures
