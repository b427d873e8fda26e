"""Related limits in different files: the duration of a run, and how long a workflow waits."""

import itertools
import re
from typing import Any

import pytest
from test_templates import TEMPLATES

from helpers.environments import Environment, has_previews, promoted
from ml_pipeline.executions.target import ALL, startable_pipelines
from ml_pipeline.params import load_parameters
from ml_pipeline.params.training_step import TrainingStepParams
from tests.ml_pipeline.building import OUTPUTS
from tests.workflows.test_static import LONGEST_JOB_MINUTES, WORKFLOWS, calls

FOLLOW = WORKFLOWS["follow-pipelines"]["jobs"]["follow"]
JOBS_IN_A_ROW = [job for job in WORKFLOWS["run-pipelines"]["jobs"].values() if calls(job)]
SET_UP_MINUTES = 15
"""Time of a job for checkout, installation, and the end after it stops waiting."""
ENVIRONMENTS = [*promoted(), *(["pr-1"] if has_previews() else [])]


def minutes_waited() -> int:
    (found,) = re.findall(r"--minutes (\d+)", "\n".join(step.get("run", "") for step in FOLLOW["steps"]))
    return int(found)


def longest_minutes(environment: str, pipeline: str) -> float:
    """Return the maximum minutes of a run: its steps in sequence, with all attempts."""
    params = load_parameters(environment, OUTPUTS, pipeline)
    limits = [(each.max_runtime_seconds, each.retry_attempts) for each in params.spark_steps.values()]
    limits += [
        (each.max_runtime_seconds, each.retry_attempts)
        for each in params.other_steps.values()
        if isinstance(each, TrainingStepParams)
    ]
    return sum(seconds * (1 + attempts) for seconds, attempts in limits) / 60


def roles() -> list[dict[str, Any]]:
    resources = TEMPLATES["github_oidc"]["Resources"].values()
    return [each["Properties"] for each in resources if each["Type"] == "AWS::IAM::Role"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_somebody_waits_for_the_longest_run_of_all_pipelines(environment: str) -> None:
    executed = [each.name for each in startable_pipelines(ALL, Environment(environment))]
    longest = sum(longest_minutes(environment, pipeline) for pipeline in executed)

    assert longest <= len(JOBS_IN_A_ROW) * minutes_waited(), (
        "shorten max_runtime_seconds or retry_attempts, or add a job to run-pipelines"
    )


def test_jobs_follow_one_another_as_long_as_something_runs() -> None:
    ids = [name for name, job in WORKFLOWS["run-pipelines"]["jobs"].items() if calls(job)]
    for before, name in itertools.pairwise(ids):
        job = WORKFLOWS["run-pipelines"]["jobs"][name]
        assert (job["needs"], job["if"]) == (before, f"needs.{before}.outputs.running == 'true'")
    assert {calls(job) for job in JOBS_IN_A_ROW} == {"follow-pipelines"}
    inputs = [job["with"] for job in JOBS_IN_A_ROW]
    assert all(each == inputs[0] for each in inputs)
    assert WORKFLOWS["run-pipelines"]["jobs"]["verify"]["needs"] == ids


def test_a_job_stops_waiting_before_github_ends_it() -> None:
    assert minutes_waited() + SET_UP_MINUTES <= FOLLOW["timeout-minutes"] <= LONGEST_JOB_MINUTES


def test_a_job_is_longer_than_the_session_of_its_role_only_where_it_renews_that() -> None:
    (session,) = {role["MaxSessionDuration"] for role in roles()}
    for workflow in WORKFLOWS.values():
        for job in workflow["jobs"].values():
            if "steps" in job and job["timeout-minutes"] * 60 > session:
                assert job["env"]["ROLE_TO_ASSUME_AGAIN"] == "${{ vars.DEPLOY_ROLE_ARN }}"
                assert job["permissions"]["id-token"] == "write", "for a new token of the job's identity"
