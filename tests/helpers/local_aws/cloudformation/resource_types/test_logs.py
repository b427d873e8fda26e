"""AWS::Logs."""

from typing import Any

from tests.helpers.local_aws.cloudformation.stacks import Stack, resource, template


def test_a_log_group_has_its_key_and_its_retention(stack: Stack) -> None:
    def log_group(days: int) -> dict[str, Any]:
        key = resource("AWS::KMS::Key", KeyPolicy={"Version": "2012-10-17", "Statement": []})
        properties = {
            "LogGroupName": f"/{stack.name}",
            "RetentionInDays": days,
            "KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
        }
        return template(Key=key, Group=resource("AWS::Logs::LogGroup", **properties)) | {
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Group", "Arn"]}}}
        }

    stack.deploy(log_group(7))
    assert stack.update(log_group(14)) == "UPDATE_COMPLETE"
    (group,) = stack.aws.client("logs").describe_log_groups(logGroupNamePrefix=f"/{stack.name}")["logGroups"]
    assert group["retentionInDays"] == 14
    assert group["kmsKeyId"].startswith("arn:aws:kms:")
    assert stack.outputs()["Arn"].endswith(f":log-group:/{stack.name}:*")
