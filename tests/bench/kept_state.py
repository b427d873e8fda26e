"""Measures `LOCAL_AWS_STATE=keep`: seconds until the server responds, and its memory over many executions."""

import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import boto3
import psutil

from helpers.local_aws import lifecycle
from helpers.local_aws.server_state import ServerState
from tests.bench.measure import run
from tests.bench.pipelines import new_role

ROOT = Path(__file__).parents[2]
MODES = {"unset": "", "keep": "keep"}
DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "Number", "Type": "Integer", "DefaultValue": 1}],
    "Steps": [
        {
            "Name": "Choose",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [
                    {"Type": "Equals", "LeftValue": {"Get": "Parameters.Number"}, "RightValue": 1}
                ],
                "IfSteps": [{"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "as it should"}}],
                "ElseSteps": [],
            },
        }
    ],
}
"""A pipeline that needs no job."""


def measure(rounds: int, executions: int, folder: Path) -> dict[str, Any]:
    """Measure starts with the state of one `make run`, then executions, on a server of each mode in turn."""
    make = ["make", "-C", str(ROOT), "run"]
    subprocess.run(make, env=_environment(folder, "keep"), check=True, stdout=sys.stderr)
    _local_aws("down", folder, "keep")
    pairs = []
    for number in range(1, rounds + 1):
        pairs.append({mode: _start_and_end(folder, mode) for mode in MODES})
        print(f"round {number}: {pairs[-1]}", file=sys.stderr, flush=True)
    return {
        "start": {
            "seconds": {mode: statistics.median(pair[mode] for pair in pairs) for mode in MODES},
            "ratio": round(statistics.median(pair["keep"] / pair["unset"] for pair in pairs), 2),
        },
        "executions": executions,
        "memory": {mode: _memory(folder / f"memory-{mode}", mode, executions) for mode in MODES},
    }


def _environment(folder: Path, mode: str) -> dict[str, str]:
    return {**os.environ, "LOCAL_AWS_HOME": str(folder), "LOCAL_AWS_STATE": MODES[mode]}


def _local_aws(command: str, folder: Path, mode: str) -> float:
    words = [sys.executable, "-m", "helpers.local_aws", command]
    return round(run(words, _environment(folder, mode)).seconds, 2)


def _start_and_end(folder: Path, mode: str) -> float:
    seconds = _local_aws("up", folder, mode)
    _local_aws("down", folder, mode)
    return seconds


def _memory(folder: Path, mode: str, executions: int) -> dict[str, Any]:
    """Return the server's memory after a tenth of the executions and after all, and the increase of each."""
    folder.mkdir()
    _local_aws("up", folder, mode)
    state = ServerState.load(folder)
    if state is None:
        sys.exit(f"No server runs in {folder}")
    try:
        os.environ.update(state.environment())
        boto3.setup_default_session()
        sagemaker, name = boto3.client("sagemaker"), f"bench-{uuid.uuid4().hex[:8]}"
        sagemaker.create_pipeline(
            PipelineName=name, PipelineDefinition=json.dumps(DEFINITION), RoleArn=new_role()
        )
        process, marks = psutil.Process(state.pid), []
        began = time.monotonic()
        for number in range(1, executions + 1):
            _execute(sagemaker, name)
            if number in {executions // 10, executions}:
                marks.append(process.memory_info().rss)
        seconds = time.monotonic() - began
    finally:
        lifecycle.down(folder)
    grown = (marks[-1] - marks[0]) / (executions - executions // 10)
    return {
        "mib": [round(mark / 2**20) for mark in marks],
        "kib_per_execution": round(grown / 1024, 1),
        "seconds_per_execution": round(seconds / executions, 3),
    }


def _execute(sagemaker: Any, name: str) -> None:
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    while True:
        found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if found["PipelineExecutionStatus"] != "Executing":
            return
        time.sleep(0.01)
