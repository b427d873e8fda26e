"""The log groups of jobs, which exist once per account: one stack sets their key and retention."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from helpers.infra.stacks import StackConfiguration, teardown
from helpers.infra.stacks.deploy import deploy
from helpers.local_aws.cloudformation.templates.validation import parse_template
from tests.infra_folder import every_stack
from tests.quiet_console import QuietConsole

TEMPLATE = Path(__file__).parents[2] / "infra" / "account" / "job_logs.yaml"
KINDS = ("ProcessingJobs", "TrainingJobs", "TransformJobs")


@pytest.fixture(scope="module")
def aws(aws: boto3.Session) -> boto3.Session:
    """A region in which jobs of other tests have written no logs."""
    return boto3.Session(region_name="ca-west-1")


@pytest.fixture(scope="module")
def stack() -> StackConfiguration:
    text = TEMPLATE.read_text(encoding="utf-8")
    return replace(every_stack("logs")[0], name="sagemaker-job-logs", template=text, parameters={})


@pytest.fixture(scope="module")
def key(aws: boto3.Session, stack: StackConfiguration) -> Iterator[str]:
    """The ARN of the key of the deployed stack."""
    yield deploy(aws.client("cloudformation"), stack, QuietConsole())["JobLogKeyArn"]
    teardown(aws, [stack], QuietConsole())
    for kind in KINDS:  # the stack retains them
        aws.client("logs").delete_log_group(logGroupName=f"/aws/sagemaker/{kind}")


def test_each_group_is_encrypted_and_kept_for_a_year(aws: boto3.Session, key: str) -> None:
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]

    assert {each["logGroupName"] for each in groups} == {f"/aws/sagemaker/{kind}" for kind in KINDS}
    assert {(each["kmsKeyId"], each["retentionInDays"]) for each in groups} == {(key, 365)}


def test_the_key_serves_the_groups_of_jobs_alone(aws: boto3.Session, key: str) -> None:
    policy = json.loads(aws.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    (service,) = (each for each in policy["Statement"] if "Service" in each["Principal"])

    groups = f"arn:aws:logs:{aws.region_name}:123456789012:log-group:/aws/sagemaker/*"
    assert service["Principal"] == {"Service": f"logs.{aws.region_name}.amazonaws.com"}
    assert service["Condition"] == {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}}
    assert aws.client("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


def test_no_stack_and_no_deletion_takes_them_along() -> None:
    template = parse_template(TEMPLATE.read_text(encoding="utf-8"), {})
    kept = {
        name: (each["DeletionPolicy"], each["UpdateReplacePolicy"])
        for name, each in template["Resources"].items()
        if each["Type"] != "AWS::KMS::Alias"
    }

    assert kept == dict.fromkeys(("JobLogKey", *(f"{kind}LogGroup" for kind in KINDS)), ("Retain", "Retain"))
    for path in TEMPLATE.parents[1].glob("*.yaml"):
        texts = str(parse_template(path.read_text(encoding="utf-8"), {"VpcCidr": "10.0.0.0/16"})["Resources"])
        assert "'LogGroupName': '/aws/sagemaker" not in texts, f"{path.name} makes one of them, too"


def test_a_second_stack_cannot_make_them(aws: boto3.Session, stack: StackConfiguration, key: str) -> None:
    another = replace(stack, name="another-job-logs")
    try:
        with pytest.raises(Exception, match="already exists"):
            deploy(aws.client("cloudformation"), another, QuietConsole())
    finally:
        teardown(aws, [another], QuietConsole())
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]
    assert {each["kmsKeyId"] for each in groups} == {key}
