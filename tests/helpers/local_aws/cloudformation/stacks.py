"""A separate stack for a test, and short notations for its template."""

import json
import uuid
from typing import Any

import boto3


class Stack:
    """A separate stack for a test, updated with change sets."""

    def __init__(self, aws: boto3.Session):
        self.aws = aws
        self.client = aws.client("cloudformation")
        self.name = f"stack-{uuid.uuid4().hex[:8]}"
        self.id = self.name

    def change_set(self, kind: str, template: dict[str, Any], **parameters: str) -> Any:
        created = self.client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"c-{uuid.uuid4()}",
            ChangeSetType=kind,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        self.id = created["StackId"]
        return self.client.describe_change_set(ChangeSetName=created["Id"])

    def deploy(self, template: dict[str, Any], kind: str = "CREATE", **parameters: str) -> str:
        change_set = self.change_set(kind, template, **parameters)
        self.client.execute_change_set(ChangeSetName=change_set["ChangeSetId"])
        return self.status()

    def update(self, template: dict[str, Any], **parameters: str) -> str:
        return self.deploy(template, "UPDATE", **parameters)

    def delete(self) -> str:
        self.client.delete_stack(StackName=self.id)
        return self.status()

    def status(self) -> str:
        return self.describe()["StackStatus"]

    def describe(self) -> Any:
        return self.client.describe_stacks(StackName=self.id)["Stacks"][0]

    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.describe().get("Outputs", [])}

    def events(self, logical_id: str) -> list[tuple[str, str]]:
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=self.id)
        return [
            (event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in pages.build_full_result()["StackEvents"][::-1]
            if event["LogicalResourceId"] == logical_id
        ]


def template(**resources: dict[str, Any]) -> dict[str, Any]:
    return {"Resources": resources}


def resource(resource_type: str, **properties: Any) -> dict[str, Any]:
    return {"Type": resource_type, "Properties": properties}


EMPTY_POLICY = {"Version": "2012-10-17", "Statement": []}
BUCKET = resource("AWS::S3::Bucket")
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}
KEY = resource("AWS::KMS::Key", KeyPolicy=EMPTY_POLICY)


def role(**properties: Any) -> dict[str, Any]:
    return resource("AWS::IAM::Role", AssumeRolePolicyDocument=EMPTY_POLICY, **properties)
