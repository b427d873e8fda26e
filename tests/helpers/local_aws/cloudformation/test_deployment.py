"""Creation, update and deletion of a stack's resources, including failures."""

import json
from typing import Any, ClassVar, cast

import pytest
from botocore.exceptions import ClientError

from helpers.local_aws.cloudformation import deployment
from helpers.local_aws.cloudformation.resource_types import RESOURCE_TYPES
from helpers.local_aws.cloudformation.resource_types.base import AccountRegion, Resource, ResourceType
from helpers.local_aws.cloudformation.stacks import Stack as StackOfServer
from helpers.local_aws.cloudformation.stacks import Target
from tests.helpers.local_aws.cloudformation.stacks import BUCKET, Stack, resource, role, template


def test_a_replacement_reaches_what_refers_to_it(stack: Stack) -> None:
    def network(cidr: str) -> dict[str, Any]:
        return template(
            Subnet=resource("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.8.1.0/24"),
            Vpc=resource("AWS::EC2::VPC", CidrBlock=cidr),
            Table=resource("AWS::EC2::RouteTable", VpcId={"Ref": "Vpc"}),
            Association=resource(
                "AWS::EC2::SubnetRouteTableAssociation",
                SubnetId={"Ref": "Subnet"},
                RouteTableId={"Ref": "Table"},
            ),
        ) | {"Outputs": {"Vpc": {"Value": {"Ref": "Vpc"}}}}

    stack.deploy(network("10.8.0.0/16"))
    before = stack.outputs()["Vpc"]
    changes = stack.change_set("UPDATE", network("10.8.0.0/17"))["Changes"]
    assert {each["ResourceChange"]["Replacement"] for each in changes} == {"True"}
    assert len(changes) == 4
    assert stack.update(network("10.8.0.0/17")) == "UPDATE_COMPLETE"
    assert stack.outputs()["Vpc"] != before
    with pytest.raises(ClientError, match="InvalidVpcID"):
        stack.aws.client("ec2").describe_vpcs(VpcIds=[before])
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_failed_creation_is_rolled_back_with_its_reason(stack: Stack) -> None:
    broken = template(Bucket=BUCKET, Role=role(ManagedPolicyArns=["arn:aws:iam::aws:policy/No"])) | {
        "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}
    }
    assert stack.deploy(broken) == "ROLLBACK_COMPLETE"
    assert stack.events("Bucket")[-1][0] == "DELETE_COMPLETE"
    (status, reason) = stack.events("Role")[1]
    assert status == "CREATE_FAILED"
    assert "policy/No" in reason
    assert "[Role]" in dict(stack.events(stack.name))["ROLLBACK_IN_PROGRESS"]
    names = [bucket["Name"] for bucket in stack.aws.client("s3").list_buckets()["Buckets"]]
    assert not any(name.startswith(stack.name) for name in names)
    assert stack.client.list_stack_resources(StackName=stack.name)["StackResourceSummaries"] == []
    assert stack.outputs() == {}


class HalfMade(ResourceType):
    """A type whose creation fails after a part exists, and whose deletion fails for a while."""

    type_name = "AWS::SNS::Topic"
    left: ClassVar[int]

    def create(self, resource: Resource) -> None:
        resource.physical_id = "half"
        raise RuntimeError("not enough of it")

    def delete(self, resource: Resource) -> None:
        HalfMade.left -= 1
        if HalfMade.left >= 0:
            raise RuntimeError("in use")


@pytest.mark.parametrize(
    ("failing", "status", "left"), [(1, "ROLLBACK_COMPLETE", set()), (2, "ROLLBACK_FAILED", {"Topic"})]
)
def test_what_is_half_created_belongs_to_the_stack_until_it_is_deleted(
    monkeypatch: pytest.MonkeyPatch, failing: int, status: str, left: set[str]
) -> None:
    monkeypatch.setitem(cast("dict[str, Any]", RESOURCE_TYPES), "AWS::SNS::Topic", HalfMade)
    HalfMade.left = failing
    found = StackOfServer("arn:stack", "half", AccountRegion("123456789012", "us-east-1"))

    deployment.create(found, Target(template=template(Topic=resource("AWS::SNS::Topic"))), {})

    assert found.status == status
    assert found.resources.keys() == left
    assert deployment.delete(found), "it can be deleted by now"
    assert not found.resources


def test_a_failed_update_is_rolled_back(stack: Stack) -> None:
    before = template(Bucket=resource("AWS::S3::Bucket", VersioningConfiguration={"Status": "Enabled"})) | {
        "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}
    }
    stack.deploy(before)
    bucket = stack.outputs()["Bucket"]
    after = template(
        Bucket=resource("AWS::S3::Bucket", VersioningConfiguration={"Status": "Suspended"}),
        Role=role(ManagedPolicyArns=["arn:aws:iam::aws:policy/No"]),
    )
    assert stack.update(after) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.aws.client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert stack.outputs() == {"Bucket": bucket}


def test_to_look_at_a_deleted_stack_does_not_bring_it_back(stack: Stack) -> None:
    # No request read the outputs while the stack existed.
    created = stack.change_set(
        "CREATE", template(Bucket=BUCKET) | {"Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}}
    )
    stack.client.execute_change_set(ChangeSetName=created["ChangeSetId"])
    stack.client.delete_stack(StackName=stack.id)
    stack.client.list_stack_resources(StackName=stack.id)
    assert stack.outputs() == {}
    names = [each["Name"] for each in stack.aws.client("s3").list_buckets()["Buckets"]]
    assert not any(name.startswith(stack.name) for name in names)


def test_what_is_retained_is_skipped(stack: Stack) -> None:
    retained = {**BUCKET, "DeletionPolicy": {"Fn::If": ["Kept", "Retain", "Delete"]}}
    content = template(Bucket=retained) | {
        "Conditions": {"Kept": {"Fn::Equals": ["a", "a"]}},
        "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}},
    }
    stack.deploy(content)
    bucket = stack.outputs()["Bucket"]
    processed = stack.client.get_template(StackName=stack.name, TemplateStage="Processed")["TemplateBody"]
    assert processed["Resources"]["Bucket"]["DeletionPolicy"] == "Retain"
    original = stack.client.get_template(StackName=stack.name)["TemplateBody"]
    assert original["Resources"]["Bucket"] == retained
    assert stack.delete() == "DELETE_COMPLETE"
    assert stack.events("Bucket")[-1][0] == "DELETE_SKIPPED"
    stack.aws.client("s3").head_bucket(Bucket=bucket)


def test_tags_of_the_stack_reach_resources_also_when_only_they_change(stack: Stack) -> None:
    content = template(Bucket=BUCKET) | {"Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}}
    stack.deploy(content)
    created = stack.client.create_change_set(
        StackName=stack.name,
        ChangeSetName="tags",
        TemplateBody=json.dumps(content),
        ChangeSetType="UPDATE",
        Tags=[{"Key": "team", "Value": "data"}],
    )
    stack.client.execute_change_set(ChangeSetName=created["Id"])
    tags = stack.aws.client("s3").get_bucket_tagging(Bucket=stack.outputs()["Bucket"])["TagSet"]
    assert {"Key": "team", "Value": "data"} in tags


def test_a_stack_is_created_once_in_its_events(stack: Stack) -> None:
    stack.client.create_stack(StackName=stack.name, TemplateBody=json.dumps(template(Bucket=BUCKET)))
    assert [status for status, _ in stack.events(stack.name)] == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_whatever_fails_the_stack_can_be_updated_again(stack: Stack) -> None:
    topic = template(Topic=resource("AWS::SNS::Topic"))
    stack.deploy(topic)
    by_function = {"Fn::GetAtt": ["Topic", {"Ref": "AWS::Partition"}]}  # known only when it is evaluated
    wrong = topic | {"Outputs": {"O": {"Value": by_function}}}
    assert stack.update(wrong) == "UPDATE_ROLLBACK_COMPLETE"
    reason = dict(stack.events(stack.name))["UPDATE_ROLLBACK_IN_PROGRESS"]
    assert "Topic does not support attribute type aws in Fn::GetAtt" in reason
    assert stack.update(template(Bucket=BUCKET, **topic["Resources"])) == "UPDATE_COMPLETE"


def test_what_was_to_be_replaced_is_kept_when_the_update_fails(stack: Stack) -> None:
    def content(name: str, **others: Any) -> dict[str, Any]:
        topic = resource("AWS::SNS::Topic", TopicName=f"{stack.name}-{name}")
        return template(Topic=topic, **others) | {"Outputs": {"Topic": {"Value": {"Ref": "Topic"}}}}

    stack.deploy(content("one"))
    before, sns = stack.outputs(), stack.aws.client("sns")
    sns.set_topic_attributes(TopicArn=before["Topic"], AttributeName="DisplayName", AttributeValue="kept")
    failing = {**role(ManagedPolicyArns=["arn:aws:iam::aws:policy/No"]), "DependsOn": "Topic"}
    assert stack.update(content("two", Role=failing)) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.outputs() == before
    attributes = sns.get_topic_attributes(TopicArn=before["Topic"])["Attributes"]
    assert attributes["DisplayName"] == "kept"
    arns = [each["TopicArn"] for each in sns.list_topics()["Topics"]]
    assert not any(arn.endswith(f"{stack.name}-two") for arn in arns)


def test_a_protected_stack_is_not_deleted(stack: Stack) -> None:
    stack.client.create_stack(
        StackName=stack.name,
        TemplateBody=json.dumps(template(Bucket=BUCKET)),
        EnableTerminationProtection=True,
    )
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        stack.delete()
    assert stack.status() == "CREATE_COMPLETE"


def test_a_policy_without_quotes_around_its_version(stack: Stack) -> None:
    text = """
    Resources:
      Role:
        Type: AWS::IAM::Role
        Properties:
          AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: []}
      Key:
        Type: AWS::KMS::Key
        Properties:
          KeyPolicy: {Version: 2012-10-17, Statement: []}
    """
    stack.client.create_stack(StackName=stack.name, TemplateBody=text)
    assert stack.status() == "CREATE_COMPLETE"


def test_events_come_in_pages(stack: Stack) -> None:
    stack.deploy(template(**{f"Topic{number}": resource("AWS::SNS::Topic") for number in range(12)}))

    first = stack.client.describe_stack_events(StackName=stack.id)

    pages = stack.client.get_paginator("describe_stack_events").paginate(StackName=stack.id)
    events = pages.build_full_result()["StackEvents"]
    assert len({each["EventId"] for each in events}) == len(events)
    assert first["StackEvents"] == events[: len(first["StackEvents"])]
    assert len(first["StackEvents"]) < len(events)
    assert [each["LogicalResourceId"] for each in (events[0], events[-1])] == [stack.name, stack.name]
    with pytest.raises(ClientError, match="NextToken is not valid"):
        stack.client.describe_stack_events(StackName=stack.id, NextToken="none")
