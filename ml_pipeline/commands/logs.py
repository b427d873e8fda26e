"""Print job logs."""

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from rich.console import Console

from helpers.aws import connect
from helpers.command_line import continuing_on_aws, print_line
from ml_pipeline.commands import options
from ml_pipeline.executions.executions import Snapshot, Step, newest, select_steps, take_snapshot
from ml_pipeline.executions.job_logs import LogLine, exception_of, milliseconds, read_lines
from ml_pipeline.executions.jobs import PROCESSING, Job, describe_job
from ml_pipeline.executions.target import Target, targets

if TYPE_CHECKING:
    from boto3 import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipeline(parser)
    options.add_step(parser)
    options.add_execution(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the logs of an execution's jobs, by default of the latest execution and of all steps."""
    session = connect(arguments.env)
    sagemaker = session.client("sagemaker")
    (target,) = targets(arguments.env, arguments.pipeline)
    execution = arguments.execution or newest(sagemaker, target)
    print_line(console, f"Execution {execution}")
    snapshot = take_snapshot(sagemaker, execution)
    running = continuing_on_aws(f"execution {execution}", target.command("status"), target.command("stop"))
    with nullcontext() if snapshot.over else running:
        _print_logs(session, select_steps(snapshot, arguments.step), target, console)
    return 0


def _print_logs(session: "Session", snapshot: Snapshot, target: Target, console: Console) -> None:
    sagemaker, logs = session.client("sagemaker"), session.client("logs")
    for step in snapshot.steps:
        if step.reused_from:
            again = target.command("logs", ARGS=f"--execution {step.reused_from}")
            print_line(console, f"Step {step.name} reused the result of {step.reused_from}; its log: {again}")
            continue
        if not step.job_arn:
            print_line(console, f"Step {step.name}: {step.status}, {_without_job(step)}")
            continue
        job = describe_job(sagemaker, step.job_arn)
        group = job.kind.log_group
        print_line(console, f"Step {step.name}: {step.status}, job {job.name}")
        lines = []
        for line in read_lines(logs, job.name, milliseconds(step.started), group):
            lines.append(line)
            print_line(console, f"{line.stream.rsplit('/', 1)[-1]}  {line.text}")
        if not lines:
            print_line(console, f"The log of step {step.name} is empty: {group}: {job.name}/…")
        if step.status == "Failed" and (reason := _failure(job, lines)):
            print_line(console, f"Step {step.name} failed with {reason}")


def _without_job(step: Step) -> str:
    """Return the state of a step without a job: not started yet, or of a type without jobs."""
    found = ", ".join(f"{name.lower()}: {value}" for name, value in step.results)
    return found or step.failure_reason or "job not started"


def _failure(job: Job, lines: Sequence[LogLine]) -> str:
    """Return why a job failed: the exception in a Spark log, or else the reason of SageMaker."""
    return exception_of(lines) if job.kind is PROCESSING else job.failure_reason
