"""The parent stack: the same templates as nested stacks from a bucket."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from helpers.infra.stacks.buckets import empty_bucket
from tests.buckets import create_bucket
from tests.quiet_console import QuietConsole

INFRA = Path(__file__).parents[2] / "infra"
LEGACY = INFRA.parent / "tests/helpers/infra/legacy_basic_infra.yaml"
NESTED = (
    "Keys",
    "Network",
    "Storage",
    "Identity",
    "Operations",
    "Models",  # part: model life cycle
)


@pytest.fixture(scope="module")
def templates(aws: boto3.Session) -> str:
    """The address of the templates in S3."""
    bucket = f"templates-{uuid.uuid4().hex[:8]}"
    s3 = aws.client("s3")
    create_bucket(s3, bucket)
    for path in INFRA.glob("*.yaml"):
        s3.put_object(Bucket=bucket, Key=f"infra/{path.name}", Body=path.read_bytes())
    return f"https://{bucket}.s3.amazonaws.com/infra"


class Parent:
    """The parent stack of a separate project."""

    def __init__(self, aws: boto3.Session, templates: str):
        self.client, self.name = aws.client("cloudformation"), "parent-test-local-basic"
        self.parameters = {
            "TemplatesUrl": templates,
            "ProjectName": "parent-test",
            "Environment": "local",
            "Protected": "false",
            "S3PrefixListId": "pl-0123abcd",
            "ImageAccountIds": "123456789012",
            "BreakGlassPrincipalArns": "arn:aws:iam::*:root",
        }

    def change(self, kind: str, **parameters: str) -> list[tuple[str, str]]:
        given = {**self.parameters, **parameters}
        change_set = self.client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"c-{uuid.uuid4().hex}",
            ChangeSetType=kind,
            TemplateBody=(INFRA / "basic_infra.yaml").read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )["Id"]
        described = self.client.describe_change_set(ChangeSetName=change_set)
        if described["Status"] == "CREATE_COMPLETE":
            self.client.execute_change_set(ChangeSetName=change_set)
        changes = [each["ResourceChange"] for each in described["Changes"]]
        return [(change["Action"], change["LogicalResourceId"]) for change in changes]

    def status(self) -> str:
        return self.client.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"]

    def reasons(self) -> list[str]:
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=self.name)
        return [event.get("ResourceStatusReason", "") for page in pages for event in page["StackEvents"]]

    def names_of_nested(self) -> list[str]:
        stacks = self.client.describe_stacks()["Stacks"]
        return [each["StackName"] for each in stacks if each["StackName"].startswith(f"{self.name}-")]

    def nested(self) -> dict[str, str]:
        listed = self.client.describe_stack_resources(StackName=self.name)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}


@pytest.fixture
def parent(aws: boto3.Session, templates: str) -> Iterator[Parent]:
    created = Parent(aws, templates)
    created.change("CREATE")
    yield created
    created.client.delete_stack(StackName=created.name)


def test_the_parent_deploys_all_and_hands_on_their_outputs(parent: Parent, aws: boto3.Session) -> None:
    assert parent.status() == "CREATE_COMPLETE"
    (stack,) = parent.client.describe_stacks(StackName=parent.name)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    nested = parent.nested()

    assert set(nested) == set(NESTED)
    for stack_id in nested.values():
        (found,) = parent.client.describe_stacks(StackName=stack_id)["Stacks"]
        assert (found["StackStatus"], found["StackId"]) == ("CREATE_COMPLETE", stack_id)
    buckets = [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]]
    assert outputs["DataBucketName"] in buckets
    subnets = outputs["PrivateSubnetIds"].split(",")
    assert len(aws.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]) == 2
    aws.client("iam").get_role(RoleName="parent-test-local-processing-job")


def test_an_update_reaches_only_the_nested_stacks_that_it_is_about(
    parent: Parent, aws: boto3.Session
) -> None:
    before = parent.nested()
    assert parent.change("UPDATE") == []

    parent.change("UPDATE", AlarmEmail="someone@example.com", MonthlyBudgetUsd="50")
    changes = parent.change("UPDATE", AlarmEmail="team@example.com", MonthlyBudgetUsd="60")

    assert changes == [("Modify", "Operations")]
    assert parent.status() == "UPDATE_COMPLETE"
    assert parent.nested() == before
    resources = parent.client.describe_stack_resources(StackName=before["Operations"])["StackResources"]
    assert {"AlarmSubscription", "MonthlyBudget"} <= {each["LogicalResourceId"] for each in resources}
    (budget,) = aws.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"]
    assert (budget["BudgetName"], float(budget["BudgetLimit"]["Amount"])) == ("parent-test-local-monthly", 60)


def test_another_text_at_the_same_address_is_a_change(
    parent: Parent, aws: boto3.Session, templates: str
) -> None:
    bucket, path = templates.removeprefix("https://").split(".", 1)[0], INFRA / "operations.yaml"
    changed = path.read_text().replace("Description: Topic of alarms", "Description: The topic of alarms")
    assert changed != path.read_text()
    aws.client("s3").put_object(Bucket=bucket, Key="infra/operations.yaml", Body=changed.encode())

    changes = parent.change("UPDATE")

    aws.client("s3").put_object(Bucket=bucket, Key="infra/operations.yaml", Body=path.read_bytes())
    assert changes == [("Modify", "Operations")]
    operations = parent.client.describe_stacks(StackName=parent.nested()["Operations"])["Stacks"][0]
    assert "The topic of alarms" in json.dumps(operations["Outputs"])


@pytest.fixture
def role_that_is_in_the_way(aws: boto3.Session) -> Iterator[None]:
    """An existing role with the name of a role in a nested stack."""
    iam, name = aws.client("iam"), "parent-taken-local-flow-logs"
    iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
    )
    yield
    iam.delete_role(RoleName=name)


@pytest.mark.usefixtures("role_that_is_in_the_way")
def test_a_nested_stack_that_fails_takes_the_parent_back(aws: boto3.Session, templates: str) -> None:
    taken = Parent(aws, templates)
    taken.name = "parent-taken-local-basic"
    taken.parameters["ProjectName"] = "parent-taken"
    taken.change("CREATE")

    assert taken.status() == "ROLLBACK_COMPLETE"
    reasons = taken.reasons()
    assert any("was not successfully created" in reason and "already exists" in reason for reason in reasons)
    assert taken.names_of_nested() == []
    taken.client.delete_stack(StackName=taken.name)


def test_a_stack_of_another_name_is_rejected_before_anything_is_made(
    aws: boto3.Session, templates: str
) -> None:
    other = Parent(aws, templates)
    other.name = "parent-test-local-other"
    other.change("CREATE")

    assert other.status() == "ROLLBACK_COMPLETE"
    assert any("TemplateURL must be a supported URL" in reason for reason in other.reasons())
    assert other.names_of_nested() == []
    other.client.delete_stack(StackName=other.name)


def test_a_legacy_stack_that_is_updated_with_the_parent_keeps_keys_and_data(
    aws: boto3.Session, templates: str
) -> None:
    legacy = Parent(aws, templates)
    legacy.name = "parent-test-local"
    legacy.client.create_stack(
        StackName=legacy.name,
        TemplateBody=LEGACY.read_text(),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": legacy.parameters[key]}
            for key in ("ProjectName", "Environment")
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    before = legacy.nested()
    aws.client("s3").put_object(Bucket=before["DataBucket"], Key="kept", Body=b"kept")

    legacy.change("UPDATE")

    assert legacy.status() == "UPDATE_ROLLBACK_COMPLETE"
    assert legacy.nested() == before
    assert aws.client("s3").get_object(Bucket=before["DataBucket"], Key="kept")["Body"].read() == b"kept"
    key = aws.client("kms").describe_key(KeyId=before["DataKey"])["KeyMetadata"]
    assert key["KeyState"] == "Enabled"
    empty_bucket(aws.client("s3"), before["DataBucket"], QuietConsole())
    legacy.client.delete_stack(StackName=legacy.name)


def test_the_parents_deletion_leaves_nothing(aws: boto3.Session, templates: str) -> None:
    created = Parent(aws, templates)
    created.change("CREATE")
    nested = created.nested()

    created.client.delete_stack(StackName=created.name)

    for stack_id in nested.values():
        (found,) = created.client.describe_stacks(StackName=stack_id)["Stacks"]
        assert found["StackStatus"] == "DELETE_COMPLETE"
