"""AWS::IAM."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.helpers.local_aws.cloudformation.stacks import POLICY, Stack, resource, role, template


def test_a_role_changes_its_policies_and_goes_with_what_is_attached(stack: Stack) -> None:
    def content(name: str, arns: list[Any]) -> dict[str, Any]:
        policy = {"PolicyName": name, "PolicyDocument": POLICY}
        managed = resource("AWS::IAM::ManagedPolicy", PolicyDocument=POLICY)
        return template(Role=role(Policies=[policy], ManagedPolicyArns=arns), Managed=managed) | {
            "Outputs": {"Role": {"Value": {"Ref": "Role"}}, "Managed": {"Value": {"Ref": "Managed"}}}
        }

    iam = stack.aws.client("iam")
    stack.deploy(content("one", [{"Ref": "Managed"}]))
    outputs = stack.outputs()
    attached = iam.list_attached_role_policies(RoleName=outputs["Role"])["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [outputs["Managed"]]
    stack.update(content("two", []))
    assert iam.list_role_policies(RoleName=outputs["Role"])["PolicyNames"] == ["two"]
    assert iam.list_attached_role_policies(RoleName=outputs["Role"])["AttachedPolicies"] == []
    iam.attach_role_policy(RoleName=outputs["Role"], PolicyArn=outputs["Managed"])
    assert stack.delete() == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_policy(PolicyArn=outputs["Managed"])


def test_a_managed_policy_is_detached_before_it_is_deleted(stack: Stack) -> None:
    managed = resource("AWS::IAM::ManagedPolicy", PolicyDocument=POLICY, Roles=[{"Ref": "Role"}])
    stack.deploy(template(Managed=managed, Role=role()))
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_role_takes_policies_of_aws(stack: Stack) -> None:
    arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    content = template(Role=role(ManagedPolicyArns=[arn])) | {"Outputs": {"Role": {"Value": {"Ref": "Role"}}}}
    assert stack.deploy(content) == "CREATE_COMPLETE"
    attached = stack.aws.client("iam").list_attached_role_policies(RoleName=stack.outputs()["Role"])
    assert attached["AttachedPolicies"] == [{"PolicyName": "AmazonSageMakerFullAccess", "PolicyArn": arn}]
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_policy_that_bounds_a_role_is_not_deleted(stack: Stack) -> None:
    managed = resource("AWS::IAM::ManagedPolicy", PolicyDocument=POLICY)
    stack.deploy(template(Managed=managed) | {"Outputs": {"Managed": {"Value": {"Ref": "Managed"}}}})
    iam = stack.aws.client("iam")
    iam.create_role(
        RoleName=stack.name,
        AssumeRolePolicyDocument="{}",
        PermissionsBoundary=stack.outputs()["Managed"],
    )
    assert stack.delete() == "DELETE_FAILED"
    iam.delete_role(RoleName=stack.name)
    assert stack.delete() == "DELETE_COMPLETE"


def test_of_the_versions_of_a_policy_the_last_five_are_kept(stack: Stack) -> None:
    def content(number: int) -> dict[str, Any]:
        document = {**POLICY, "Id": str(number)}
        return template(Managed=resource("AWS::IAM::ManagedPolicy", PolicyDocument=document)) | {
            "Outputs": {"Managed": {"Value": {"Ref": "Managed"}}}
        }

    stack.deploy(content(0))
    for number in range(1, 7):
        assert stack.update(content(number)) == "UPDATE_COMPLETE"
    iam, arn = stack.aws.client("iam"), stack.outputs()["Managed"]
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert len(versions) == 5
    (default,) = (each["VersionId"] for each in versions if each["IsDefaultVersion"])
    version = iam.get_policy_version(PolicyArn=arn, VersionId=default)["PolicyVersion"]
    assert version["Document"]["Id"] == "6"
