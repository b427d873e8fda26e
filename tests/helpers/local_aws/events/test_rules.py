"""State changes of model packages and pipeline steps, and the rules that match them."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.helpers.local_aws.roles import policy_of

Register = Callable[[], str]
PATTERN = {
    "source": ["aws.sagemaker"],
    "detail-type": ["SageMaker Model Package State Change"],
    "detail": {"ModelApprovalStatus": ["Approved"]},
}


@pytest.fixture
def group(aws: boto3.Session) -> str:
    name = f"group-{uuid.uuid4().hex[:8]}"
    aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
    return name


def approve(aws: boto3.Session, group: str) -> str:
    """Register and approve a package; return its ARN."""
    sagemaker = aws.client("sagemaker")
    arn = sagemaker.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    return str(arn)


def put_rule(aws: boto3.Session, group: str, target: dict[str, Any]) -> None:
    events, name = aws.client("events"), f"rule-{uuid.uuid4().hex[:8]}"
    detail = {**PATTERN["detail"], "ModelPackageGroupName": [group]}
    events.put_rule(Name=name, EventPattern=json.dumps({**PATTERN, "detail": detail}))
    events.put_targets(Rule=name, Targets=[{"Id": "it", **target}])


def starter(aws: boto3.Session, service: str, action: str = "sagemaker:StartPipelineExecution") -> str:
    """The ARN of a role that a service can assume, with permission for one action."""
    iam, name = aws.client("iam"), f"starter-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy_of(trust))["Role"]
    policy = policy_of({"Effect": "Allow", "Action": action, "Resource": "*"})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    return str(role["Arn"])


@pytest.fixture
def scoring(pipelines) -> str:
    """The name of a pipeline that fails with its model package as message."""
    step = {"Name": "end", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.Package"}}}
    return str(pipelines.create(step, Parameters=[{"Name": "Package", "Type": "String"}]))


def target_of(pipelines, name: str, role: str) -> dict[str, Any]:
    arn = pipelines.sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]
    parameters = [{"Name": "Package", "Value": "$.detail.ModelPackageArn"}]
    return {"Arn": arn, "RoleArn": role, "SageMakerPipelineParameters": {"PipelineParameterList": parameters}}


def executions_of(pipelines, name: str) -> list[dict[str, Any]]:
    found = pipelines.sagemaker.list_pipeline_executions(PipelineName=name)
    return list(found["PipelineExecutionSummaries"])


def test_an_approval_starts_the_pipeline_of_a_rule(
    aws: boto3.Session, pipelines, group: str, scoring: str
) -> None:
    put_rule(aws, group, target_of(pipelines, scoring, starter(aws, "events.amazonaws.com")))

    package = approve(aws, group)

    while not (started := executions_of(pipelines, scoring)):
        time.sleep(0.05)
    (execution,) = started  # the registration is pending approval, and has started no execution
    ended = pipelines.wait(execution["PipelineExecutionArn"])
    assert ended["FailureReason"] == f"Step failure: end: {package}"


def test_a_rule_whose_role_may_not_start_it_starts_nothing(
    aws: boto3.Session, pipelines, group: str, scoring: str
) -> None:
    put_rule(aws, group, target_of(pipelines, scoring, starter(aws, "sagemaker.amazonaws.com")))
    put_rule(aws, group, target_of(pipelines, scoring, starter(aws, "events.amazonaws.com", "s3:GetObject")))
    queue = aws.client("sqs").create_queue(QueueName=f"queue-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{queue.rpartition('/')[2]}"
    put_rule(aws, group, {"Arn": arn})  # rules are evaluated in the order of their creation: this one is last

    package = approve(aws, group)

    while not (
        received := aws.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")
    ):
        continue
    event = json.loads(received[0]["Body"])
    assert event["resources"] == [package]
    assert event["detail"]["ModelPackageStatus"] == "Completed"
    assert event["detail"]["ModelPackageVersion"] == 1
    assert executions_of(pipelines, scoring) == []


def test_a_step_that_failed_starts_the_pipeline_of_a_rule(
    aws: boto3.Session, pipelines, scoring: str
) -> None:
    fail = {"Name": "drifted", "Type": "Fail", "Arguments": {"ErrorMessage": "weight: PSI 1.079"}}
    name = pipelines.create(fail)
    failing = pipelines.sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Step Status Change"],
        "detail": {"pipelineArn": [failing], "stepName": ["drifted"], "currentStepStatus": ["Failed"]},
    }
    target = target_of(pipelines, scoring, starter(aws, "events.amazonaws.com"))
    given = {"PipelineParameterList": [{"Name": "Package", "Value": "$.detail.failureReason"}]}
    events, rule = aws.client("events"), f"rule-{uuid.uuid4().hex[:8]}"
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "it", **target, "SageMakerPipelineParameters": given}])

    pipelines.sagemaker.start_pipeline_execution(PipelineName=name)

    while not (started := executions_of(pipelines, scoring)):
        time.sleep(0.05)
    (execution,) = started
    ended = pipelines.wait(execution["PipelineExecutionArn"])
    assert ended["FailureReason"].startswith("Step failure: end: ")
    assert "weight: PSI 1.079" in ended["FailureReason"]
