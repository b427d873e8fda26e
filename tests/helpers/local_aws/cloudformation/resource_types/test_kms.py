"""AWS::KMS."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.helpers.local_aws.cloudformation.stacks import Stack, resource, template


def test_a_key_needs_no_policy(stack: Stack) -> None:
    key = resource("AWS::KMS::Key", Description="plain")
    stack.deploy(template(Key=key) | {"Outputs": {"Key": {"Value": {"Fn::GetAtt": ["Key", "KeyId"]}}}})
    kms, key_id = stack.aws.client("kms"), stack.outputs()["Key"]
    assert (
        "arn:aws:iam::123456789012:root" in kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
    )
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["Description"] == "plain"


def test_a_deleted_key_has_the_waiting_period_of_its_template(stack: Stack) -> None:
    def content(days: int) -> dict[str, Any]:
        key = resource("AWS::KMS::Key", PendingWindowInDays=days)
        return template(Key=key) | {"Outputs": {"Key": {"Value": {"Ref": "Key"}}}}

    stack.deploy(content(7))
    key_id = stack.outputs()["Key"]
    assert stack.update(content(9)) == "UPDATE_COMPLETE"
    stack.delete()
    found = stack.aws.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    remaining = found["DeletionDate"] - datetime.now(UTC)
    assert timedelta(days=8) < remaining <= timedelta(days=9)
