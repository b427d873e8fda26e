"""Which roles SageMaker can assume, tested with pipelines that name them."""

import json
import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

SAGEMAKER = {"Service": "sagemaker.amazonaws.com"}


def statement(**members: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": SAGEMAKER, "Action": "sts:AssumeRole", **members}


def condition(key: str, value: str) -> dict[str, Any]:
    return {"Condition": {"StringLike": {key: value}}}


@pytest.mark.parametrize(
    ("statements", "is_trusted"),
    [
        ([statement()], True),
        (statement(), True),  # a single statement need not be in a list
        ([statement(Principal="*")], True),
        ([statement(Principal={"Service": ["ec2.amazonaws.com", "sagemaker.amazonaws.com"]})], True),
        ([statement(Action=["sts:TagSession", "sts:AssumeRole"])], True),
        ([statement(Action="sts:*")], True),
        ([statement(**condition("aws:SourceAccount", "123456789012"))], True),
        ([statement(**condition("aws:SourceArn", "arn:aws:sagemaker:us-east-1:123456789012:*"))], True),
        ([statement(Principal={"Service": "ec2.amazonaws.com"})], False),
        ([statement(Action="sts:TagSession")], False),
        ([statement(), statement(Effect="Deny")], False),
        ([statement(), statement(Effect="Deny", Principal="*")], False),
        ([statement(**condition("aws:SourceAccount", "210987654321"))], False),
        ([], False),
    ],
)
def test_the_trust_policy_decides(aws: boto3.Session, statements: Any, is_trusted: bool) -> None:
    name = f"trust-{uuid.uuid4().hex[:8]}"
    trust = {"Version": "2012-10-17", "Statement": statements}
    created = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    definition = {
        "Version": "2020-12-01",
        "Steps": [{"Name": "f", "Type": "Fail", "Arguments": {"ErrorMessage": "m"}}],
    }

    def create() -> str:
        return str(
            aws.client("sagemaker").create_pipeline(
                PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=created["Role"]["Arn"]
            )["PipelineArn"]
        )

    if is_trusted:
        assert create()
    else:
        with pytest.raises(ClientError, match="Could not assume role"):
            create()


def test_there_is_one_account(aws: boto3.Session) -> None:
    with pytest.raises(ClientError, match="has the account 123456789012 only") as caught:
        aws.client("sts").assume_role(RoleArn="arn:aws:iam::999999999999:role/r", RoleSessionName="session")

    assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_policies_are_simulated(aws: boto3.Session) -> None:
    iam, name = aws.client("iam"), f"simulated-{uuid.uuid4().hex[:8]}"
    trust = {"Version": "2012-10-17", "Statement": [statement()]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "s3:Get*",
                "Resource": "arn:aws:s3:::b/*",
                "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
            },
            {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"},
        ],
    }
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))

    answer = iam.simulate_principal_policy(
        PolicySourceArn=arn,
        ActionNames=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        ResourceArns=["arn:aws:s3:::b/k"],
        ContextEntries=[
            {
                "ContextKeyName": "aws:SourceVpce",
                "ContextKeyValues": ["vpce-1"],
                "ContextKeyType": "string",
            }
        ],
    )

    decisions = {each["EvalActionName"]: each["EvalDecision"] for each in answer["EvaluationResults"]}
    assert decisions == {
        "s3:GetObject": "allowed",
        "s3:PutObject": "implicitDeny",
        "s3:DeleteObject": "explicitDeny",
    }
    with pytest.raises(ClientError, match="does not exist"):
        iam.simulate_principal_policy(PolicySourceArn=f"{arn}-ghost", ActionNames=["s3:GetObject"])
    with pytest.raises(ClientError, match="does not support PolicyInputList"):
        iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=["s3:GetObject"], PolicyInputList=[json.dumps(document)]
        )
