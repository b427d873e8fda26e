from datetime import UTC, datetime, timedelta
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import UserError
from ml_pipeline.executions.executions import (
    Execution,
    first_in_line,
    list_executions,
    start,
    stop,
    take_snapshot,
)
from ml_pipeline.releases.registration import Registration, upsert

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
executions = st.lists(
    st.builds(
        Execution,
        st.sampled_from("abcdefgh"),
        st.sampled_from(["Executing", "Stopping", "Stopped", "Failed", "Succeeded", "CompletedWithFailures"]),
        st.integers(0, 3).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    ),
    unique_by=lambda execution: execution.arn,
)


@given(executions)
def test_of_all_that_run_exactly_one_goes_on(listed: list[Execution]) -> None:
    running = [execution for execution in listed if execution.active]

    going_on = [execution for execution in running if first_in_line(listed, execution.arn) is None]

    assert len(going_on) == min(1, len(running))


def test_the_earliest_goes_on_and_is_named_to_the_others() -> None:
    early, late = Execution("b", "Executing", NOON), Execution("a", "Executing", NOON + timedelta(seconds=1))

    assert first_in_line([late, early], "b") is None
    assert first_in_line([late, early], "a") == early


def test_one_that_is_not_listed_yet_gives_way_to_whatever_runs() -> None:
    assert first_in_line([Execution("a", "Executing", NOON)], "new") is not None
    assert first_in_line([Execution("a", "Succeeded", NOON)], "new") is None


@pytest.fixture
def failing(stack: boto3.Session, role: str) -> str:
    """The name of a pipeline whose executions fail at once."""
    definition = (
        '{"Version": "2020-12-01", "Parameters": [{"Name": "InputDataFingerprint", "Type": "String"}],'
        '"Steps": [{"Name": "give-up", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}]}'
    )
    name = f"failing-{uuid4().hex}"
    upsert(stack.client("sagemaker"), name, Registration(definition, "Fails.", role, {}))
    return name


def given_fingerprint(stack: boto3.Session, arn: str) -> str:
    answer = stack.client("sagemaker").list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    return answer["PipelineParameters"][0]["Value"]


def test_an_execution_is_started_with_the_fingerprint(stack: boto3.Session, failing: str) -> None:
    arn = start(stack.client("sagemaker"), failing, "f00", "dev")

    assert given_fingerprint(stack, arn) == "f00"
    assert [execution.arn for execution in list_executions(stack.client("sagemaker"), failing, "dev")] == [
        arn
    ]


def test_without_the_cache_the_fingerprint_never_was(stack: boto3.Session, failing: str) -> None:
    sagemaker = stack.client("sagemaker")
    arns = []
    for _ in range(2):
        arns.append(start(sagemaker, failing, "f00", "dev", use_cache=False))
        while not take_snapshot(sagemaker, arns[-1]).over:
            pass

    values = {given_fingerprint(stack, arn) for arn in arns}

    assert len(values) == 2
    assert all(value.startswith("f00-") for value in values)


def test_a_pipeline_that_is_not_there_is_named_with_what_to_do(stack: boto3.Session) -> None:
    with pytest.raises(UserError, match=r"no pipeline nowhere.*python -m ml_pipeline upsert --env dev"):
        start(stack.client("sagemaker"), "nowhere", "f", "dev")


def test_stopping_what_is_over_says_so(stack: boto3.Session, failing: str) -> None:
    sagemaker = stack.client("sagemaker")
    arn = start(sagemaker, failing, "f", "dev")
    while not take_snapshot(sagemaker, arn).over:
        pass

    assert stop(sagemaker, arn) is False


def test_stopping_what_never_was_is_an_error(stack: boto3.Session) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/none/execution/abcdefghijkl"

    with pytest.raises(ClientError, match="ResourceNotFound"):
        stop(stack.client("sagemaker"), arn)
