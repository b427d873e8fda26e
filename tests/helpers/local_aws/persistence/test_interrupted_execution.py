"""An execution that was in progress when the server ended, continued in the next one."""

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.local_aws.jobs.job import HOST_FAILURE
from helpers.local_aws.persistence.object_contents import ObjectContents
from helpers.local_aws.persistence.pickling import dumps, loads
from helpers.local_aws.pipelines.definition import parse_definition
from helpers.local_aws.pipelines.execution import ExecutionContext, PipelineExecution, StepRun
from helpers.local_aws.processing.processing_jobs import ProcessingJob

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/name/execution/id"


def step(name: str, *depends_on: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Fail",
        "Arguments": {"ErrorMessage": "no"},
        "DependsOn": list(depends_on),
    }


DEFINITION = json.dumps({"Version": "2020-12-01", "Steps": [step("First"), step("Second", "First")]})
CONTEXT = ExecutionContext(
    create=lambda _step, _request: pytest.fail("something was created"),
    cached_run=lambda _step, _key: None,
    read_json=lambda _uri: None,
    new_name=lambda _step, _failures: "name",
    send_callback=lambda _callback, _arguments, _status: None,
    on_change=lambda: None,
    on_step_end=lambda _run: None,
)


def restored(tmp_path: Path, status: Any = "Executing", **jobs: str | None) -> PipelineExecution:
    """An execution in the next server: steps that were running, each with the status of its job, if any."""
    definition = parse_definition(DEFINITION)
    execution = PipelineExecution(ARN, definition, {}, {}, CONTEXT)
    execution.status = status
    for name, job_status in jobs.items():
        run = execution.runs[name] = StepRun(definition.steps[name], "Executing")
        if job_status:
            job = ProcessingJob(f"job-of-{name}", ARN, {}, status=job_status)  # type: ignore[arg-type]
            job.interrupt_by_failure_of_host()
            run.resource = job
    contents = ObjectContents(tmp_path)
    found: PipelineExecution = loads(dumps(execution, contents), contents)
    found.restore(CONTEXT)
    return found


@pytest.mark.parametrize("job_status", [None, "InProgress"])
def test_a_step_that_ran_has_failed(tmp_path: Path, job_status: str | None) -> None:
    execution = restored(tmp_path, First=job_status)

    assert execution.status == execution.runs["First"].status == "Failed"
    assert execution.failure_reason == f"Step failure: First: {HOST_FAILURE}"
    assert execution.runs["First"].ended


def test_a_step_whose_job_was_done_has_succeeded(tmp_path: Path) -> None:
    execution = restored(tmp_path, First="Completed", Second="Completed")

    assert {run.status for run in execution.runs.values()} == {"Succeeded"}
    assert (execution.status, execution.failure_reason) == ("Succeeded", None)


def test_an_execution_with_steps_to_come_has_failed(tmp_path: Path) -> None:
    execution = restored(tmp_path, First="Completed")

    assert execution.runs["First"].status == "Succeeded"
    assert (execution.status, execution.failure_reason) == ("Failed", HOST_FAILURE)


def test_an_execution_that_was_stopping_has_stopped(tmp_path: Path) -> None:
    execution = restored(tmp_path, "Stopping", First="Stopping")

    assert execution.status == execution.runs["First"].status == "Stopped"


def test_an_execution_that_had_ended_is_as_it_was(tmp_path: Path) -> None:
    execution = restored(tmp_path, "Stopped")

    assert (execution.status, execution.runs) == ("Stopped", {})


def test_it_is_retried_in_the_next_server(tmp_path: Path) -> None:
    execution = restored(tmp_path, First=None)

    execution.retry()

    assert execution.wait(10)
    assert execution.failure_reason == "Step failure: First: no"
