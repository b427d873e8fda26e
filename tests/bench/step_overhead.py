"""Measures the overhead of a pipeline step over a plain spark-submit of the same job.

Needs the embedded AWS with the upserted pipeline. Both run the same code with the same configuration on the
same S3 object, alternately, so that other load on the machine affects both.
"""

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from helpers.environments import LOCAL, Environment
from helpers.local_aws.containers.container_job import ContainerJob
from helpers.local_aws.credentials import Credentials
from helpers.local_aws.jobs.s3_data import download_prefix
from helpers.local_aws.s3_objects import S3Objects
from helpers.local_aws.spark_container.configuration_files import parse_defaults, render_properties
from helpers.local_aws.spark_container.container import prepare
from helpers.local_aws.spark_container.sizing import Machine
from helpers.spark.pyspark_folder import pyspark_folder
from ml_pipeline.executions.executions import start
from ml_pipeline.executions.target import targets
from ml_pipeline.params import DEFAULT_PIPELINE

_QUICK_START = ("-XX:SharedArchiveFile=", "-Xlog:cds", "-XX:Tier4")
"""Prefixes of the JVM options that the embedded AWS adds for a quick start."""
TARGET = targets(Environment(LOCAL), DEFAULT_PIPELINE)[0]


def run_step(sagemaker: Any) -> tuple[float, Mapping[str, Any]]:
    """Execute the pipeline; return the seconds of its step, and the description of its job."""
    arn = start(boto3.Session(), TARGET, use_cache=False)
    while True:
        execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if execution["PipelineExecutionStatus"] != "Executing":
            break
        time.sleep(0.5)  # rarely: the server that responds also serves the job's S3
    if execution["PipelineExecutionStatus"] != "Succeeded":
        sys.exit(f"{arn} is {execution['PipelineExecutionStatus']}: {execution.get('FailureReason')}")
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    job = step["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    seconds = (step["EndTime"] - step["StartTime"]).total_seconds()
    return seconds, sagemaker.describe_processing_job(ProcessingJobName=job)


def run_bare(s3: Any, description: Mapping[str, Any], *, as_shipped: bool = False) -> float:
    """Run the same spark-submit directly, and return its seconds, without its preparation.

    The run has a name of its own: a job writes to the folder of its run, and rejects files of another there.

    Args:
        s3: a client.
        description: the description of the job.
        as_shipped: start Spark as its wheel does, without what makes JVMs and Python start quickly here.
    """
    description = {**description, "ProcessingJobName": f"bare-{uuid.uuid4().hex}"}
    with tempfile.TemporaryDirectory() as folder:
        job = ContainerJob(
            name="bare",
            root=Path(folder),
            description=description,
            endpoint=os.environ["AWS_ENDPOINT_URL"],
            region=os.environ["AWS_REGION"],
            credentials=Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]),
        )
        for entry in description["ProcessingInputs"]:
            source = entry["S3Input"]
            download_prefix(S3Objects(s3), source["S3Uri"], source["LocalPath"], job.root)
        ready = prepare(job, lambda _line: None, Machine.this())
        environment = dict(ready.environment)
        if as_shipped:
            _start_as_shipped(ready.home.folder)
            del environment["SPARK_LAUNCHER_OPTS"]
        began = time.monotonic()
        done = subprocess.run(
            ready.command,
            env=environment,
            cwd=ready.home.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{description['ProcessingJobName']} failed by itself:\n{done.stdout[-3000:]}")
        return time.monotonic() - began


def _start_as_shipped(home: Path) -> None:
    """Remove what the embedded AWS adds to a Spark home so that it starts quickly.

    This is the archive of classes with its class path, late compilation, and pyspark as files.
    """
    file = home / "conf" / "spark-defaults.conf"
    properties = parse_defaults(file.read_text())
    for process in ("driver", "executor"):
        properties.pop(f"spark.{process}.extraClassPath", None)  # absent without an archive
        name = f"spark.{process}.defaultJavaOptions"
        options = [each for each in shlex.split(properties[name]) if not each.startswith(_QUICK_START)]
        properties[name] = shlex.join(options)
    file.write_text(render_properties(properties))
    packages = home / "python" / "lib"
    shutil.rmtree(packages)
    packages.symlink_to(pyspark_folder() / "python" / "lib")


def measure(count: int) -> dict[str, Any]:
    """Run both alternately; return the seconds of each round, and the medians of difference and ratio."""
    sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
    run_step(sagemaker)  # the first run warms the file cache for both
    rounds = []
    for number in range(1, count + 1):
        step, description = run_step(sagemaker)
        bare = run_bare(s3, description)
        rounds.append({"step": round(step, 2), "bare": round(bare, 2)})
        print(f"round {number}: step {step:.2f} s, spark-submit {bare:.2f} s", file=sys.stderr, flush=True)
    return {
        "rounds": rounds,
        "overhead_seconds": round(statistics.median(pair["step"] - pair["bare"] for pair in rounds), 2),
        "ratio": round(statistics.median(pair["step"] / pair["bare"] for pair in rounds), 3),
    }
