"""Roles for tests of access control."""

import json
import uuid
from typing import Any

import boto3

Statement = dict[str, Any]


def policy_of(*statements: Statement) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def create_role(aws: boto3.Session, *statements: Statement) -> str:
    """Create a role with some statements that SageMaker and the account can assume; return its ARN."""
    name = f"role-{uuid.uuid4().hex[:8]}"
    trusted = {"Service": "sagemaker.amazonaws.com", "AWS": "arn:aws:iam::123456789012:root"}
    trust = policy_of({"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"})
    iam = aws.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy_of(*statements))
    return str(role["Arn"])


def sagemaker_of_role(aws: boto3.Session, *statements: Statement) -> Any:
    """Return a SageMaker client with the credentials of a role with some statements."""
    role = create_role(aws, *statements)
    keys = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    return session.client("sagemaker", region_name="us-east-1")
