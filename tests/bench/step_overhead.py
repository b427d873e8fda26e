"""What a pipeline step costs beyond a bare spark-submit of the same job, side by side: `make bench`.

Needs the embedded AWS with the pipeline upserted. Both ways run the same code with the same configuration
on the same object in S3, in turn, so that whatever else the machine does meets both.
"""

import os
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
from rich.console import Console
from rich.table import Table

from helpers.local_aws.processing.container_job import ContainerJob
from helpers.local_aws.processing.data import download_input
from helpers.local_aws.service_clients import Credentials
from helpers.local_aws.spark_container.container import prepare
from helpers.local_aws.spark_container.sizing import Machine

PIPELINE = "ProcessingPipeline-local"
ROUNDS = 5


def run_step(sagemaker: Any) -> tuple[float, Mapping[str, Any]]:
    """Execute the pipeline; return the seconds of its step, and the description of its job."""
    arn = sagemaker.start_pipeline_execution(
        PipelineName=PIPELINE,
        # Of its own in every round, or the step cache would answer.
        PipelineParameters=[{"Name": "InputDataFingerprint", "Value": uuid.uuid4().hex}],
    )["PipelineExecutionArn"]
    while True:
        execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if execution["PipelineExecutionStatus"] != "Executing":
            break
        time.sleep(0.5)  # seldom: the server that answers serves the job's S3 as well
    if execution["PipelineExecutionStatus"] != "Succeeded":
        sys.exit(f"{arn} is {execution['PipelineExecutionStatus']}: {execution.get('FailureReason')}")
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    job = step["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    seconds = (step["EndTime"] - step["StartTime"]).total_seconds()
    return seconds, sagemaker.describe_processing_job(ProcessingJobName=job)


def run_bare(s3: Any, description: Mapping[str, Any]) -> float:
    """Run the same spark-submit by hand, and return its seconds; what it needs lies there before."""
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
            download_input(s3, entry, job.root)
        ready = prepare(job, lambda _line: None, Machine.this())
        began = time.monotonic()
        subprocess.run(
            ready.command, env=dict(ready.environment), cwd=ready.home.folder, capture_output=True, check=True
        )
        return time.monotonic() - began


def main() -> None:
    """Run both in turn, and print the seconds of each round with the median of their difference."""
    sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
    run_step(sagemaker)  # the first run of all warms the file cache for both
    table = Table("round", "pipeline step, s", "bare spark-submit, s", "overhead, s", "ratio")
    rounds = []
    for number in range(1, ROUNDS + 1):
        step, description = run_step(sagemaker)
        bare = run_bare(s3, description)
        rounds.append((step, bare))
        table.add_row(str(number), f"{step:.2f}", f"{bare:.2f}", f"{step - bare:+.2f}", f"{step / bare:.3f}")
    overhead = statistics.median(step - bare for step, bare in rounds)
    ratio = statistics.median(step / bare for step, bare in rounds)
    Console().print(
        table, f"Overhead of a step: median {overhead:+.2f} s, {ratio:.3f} times the bare spark-submit"
    )


if __name__ == "__main__":
    main()
