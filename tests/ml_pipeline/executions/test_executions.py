import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import UserError
from ml_pipeline.definitions import Registration
from ml_pipeline.executions.executions import (
    LONGEST_EXECUTION,
    PAGE_SIZE,
    Execution,
    Snapshot,
    Step,
    active_executions,
    first_in_line,
    list_executions,
    newest,
    select_steps,
    start,
    stop,
    take_snapshot,
)
from ml_pipeline.executions.inputs import fingerprint, list_input
from ml_pipeline.executions.target import Target
from ml_pipeline.releases.registration import upsert
from tests.ml_pipeline.small_project import DATA, REGION

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
def test_exactly_one_of_several_executions_continues(listed: list[Execution]) -> None:
    running = [execution for execution in listed if execution.active]

    going_on = [execution for execution in running if first_in_line(listed, execution.arn) is None]

    assert len(going_on) == min(1, len(running))


def test_the_earliest_continues_and_is_named_to_the_others() -> None:
    early, late = Execution("b", "Executing", NOON), Execution("a", "Executing", NOON + timedelta(seconds=1))

    assert first_in_line([late, early], "b") is None
    assert first_in_line([late, early], "a") == early


def test_one_that_is_not_listed_yet_gives_way_to_whatever_runs() -> None:
    assert first_in_line([Execution("a", "Executing", NOON)], "new") is not None
    assert first_in_line([Execution("a", "Succeeded", NOON)], "new") is None


FAILS = {"Name": "give-up", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}
READS = {
    "Name": "clean",
    "Type": "Processing",
    "Arguments": {
        "AppSpecification": {
            "ImageUri": "image",
            "ContainerArguments": ["--rides", f"s3a://{DATA}-trial/start/in.csv"],
        },
        "Environment": {
            "FORCE_RUN": {"Get": "Parameters.ForceRun"},
            "INPUT_FINGERPRINT_RIDES": {"Get": "Parameters.Fingerprint-clean-rides"},
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "RoleArn": "arn:aws:iam::123456789012:role/nobody",
    },
    "DependsOn": ["give-up"],
}
PARAMETERS = [
    {"Name": "ForceRun", "Type": "String", "DefaultValue": "no"},
    {"Name": "Fingerprint-clean-rides", "Type": "String"},
]


@pytest.fixture
def failing(stack: boto3.Session, role: str, target_of: Callable[..., Target]) -> Target:
    """A pipeline with an input, whose executions fail before they read anything."""
    definition = {"Version": "2020-12-01", "Parameters": PARAMETERS, "Steps": [FAILS, READS]}
    name = f"failing-{uuid4().hex}"
    upsert(stack.client("sagemaker"), name, Registration(json.dumps(definition), "Fails.", role, {}))
    stack.client("s3").put_object(Bucket=f"{DATA}-trial", Key="start/in.csv", Body=b"1,2\n")
    return target_of("trial", name)


def given(stack: boto3.Session, arn: str) -> dict[str, str]:
    """Return the parameter values of an execution."""
    answer = stack.client("sagemaker").list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    return {each["Name"]: each["Value"] for each in answer["PipelineParameters"]}


def end(stack: boto3.Session, arn: str) -> None:
    while not take_snapshot(stack.client("sagemaker"), arn).over:
        pass


def test_an_execution_is_started_with_a_fingerprint_of_each_input(
    stack: boto3.Session, failing: Target
) -> None:
    arn = start(stack, failing)

    objects = list_input(stack.client("s3"), f"s3a://{DATA}-trial/start/in.csv")
    assert given(stack, arn)["Fingerprint-clean-rides"] == fingerprint(objects)
    assert given(stack, arn).get("ForceRun", "no") == "no"
    assert [each.arn for each in list_executions(stack.client("sagemaker"), failing)] == [arn]
    assert active_executions(stack.client("sagemaker"), failing) == []  # it has failed


def test_without_the_cache_a_value_is_given_that_never_was(stack: boto3.Session, failing: Target) -> None:
    values = []
    for _ in range(2):
        arn = start(stack, failing, use_cache=False)
        end(stack, arn)
        values.append(given(stack, arn))

    assert len({value["ForceRun"] for value in values}) == 2
    assert len({value["Fingerprint-clean-rides"] for value in values}) == 1, "the data are the same"


def test_nothing_is_started_without_data(stack: boto3.Session, failing: Target) -> None:
    stack.client("s3").delete_object(Bucket=f"{DATA}-trial", Key="start/in.csv")

    with pytest.raises(UserError, match=f"no input rides of step clean at s3a://{DATA}-trial/start/in.csv"):
        start(stack, failing)

    assert list(list_executions(stack.client("sagemaker"), failing)) == []


def test_a_pipeline_that_is_not_there_is_named_with_what_to_do(
    stack: boto3.Session, target_of: Callable[..., Target]
) -> None:
    with pytest.raises(UserError, match=r"no pipeline nowhere\nHint: Create it with: make upsert ENV=trial"):
        start(stack, target_of("trial", "nowhere"))


def test_stopping_what_has_finished_reports_that(stack: boto3.Session, failing: Target) -> None:
    arn = start(stack, failing)
    end(stack, arn)

    assert stop(stack.client("sagemaker"), arn) is False


def test_stopping_what_never_was_is_an_error(stack: boto3.Session) -> None:
    arn = f"arn:aws:sagemaker:{REGION}:123456789012:pipeline/none/execution/abcdefghijkl"

    with pytest.raises(ClientError, match="ResourceNotFound"):
        stop(stack.client("sagemaker"), arn)


def test_the_newest_execution_is_the_default(
    stack: boto3.Session, failing: Target, target_of: Callable[..., Target]
) -> None:
    sagemaker = stack.client("sagemaker")
    with pytest.raises(UserError, match=r"was never executed\nHint: Start it with: make start ENV=trial"):
        newest(sagemaker, failing)

    arn = start(stack, failing)

    assert newest(sagemaker, failing) == arn


LISTED = {
    "PipelineName": "many",
    "SortBy": "CreationTime",
    "SortOrder": "Descending",
    "MaxResults": PAGE_SIZE,
}


@pytest.fixture
def answers() -> Iterator[Stubber]:
    """The responses of a client; a request without a prepared response is an error."""
    sagemaker = boto3.client(
        "sagemaker", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )
    with Stubber(sagemaker) as stub:
        yield stub


def page(*statuses: str) -> dict[str, Any]:
    return {
        "PipelineExecutionSummaries": [
            {"PipelineExecutionArn": f"arn-{number:02}", "PipelineExecutionStatus": status, "StartTime": NOON}
            for number, status in enumerate(statuses)
        ]
    }


def test_no_page_is_read_that_nobody_asks_for(answers: Stubber, target_of: Callable[..., Target]) -> None:
    answers.add_response(
        "list_pipeline_executions", {**page("Failed", "Succeeded"), "NextToken": "more"}, LISTED
    )

    assert newest(answers.client, target_of("trial", "many")) == "arn-00"


def test_what_may_still_run_is_looked_for_among_the_recent(
    answers: Stubber, target_of: Callable[..., Target]
) -> None:
    asked: list[datetime] = []
    answers.client.meta.events.register(
        "provide-client-params.sagemaker.ListPipelineExecutions",
        lambda params, **_: asked.append(params["CreatedAfter"]),
    )
    answers.add_response(
        "list_pipeline_executions",
        page("Failed", "Executing", "Succeeded", "Stopping"),
        {**LISTED, "CreatedAfter": ANY},
    )

    found = active_executions(answers.client, target_of("trial", "many"))

    assert [each.arn for each in found] == ["arn-01", "arn-03"]
    assert abs(datetime.now(UTC) - asked[0] - LONGEST_EXECUTION) < timedelta(minutes=1)


def test_a_step_is_chosen_by_its_name() -> None:
    snapshot = Snapshot("arn", "Executing", steps=(Step("clean", "Executing"), Step("join", "Starting")))

    assert select_steps(snapshot, None) == snapshot
    assert [step.name for step in select_steps(snapshot, "join").steps] == ["join"]
    with pytest.raises(UserError, match="unknown step 'joins' of arn; expected one of clean, join"):
        select_steps(snapshot, "joins")
