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
