"""AWS::S3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.helpers.local_aws.cloudformation.stacks import BUCKET, KEY, Stack, resource, template


def test_a_bucket_with_objects_keeps_its_stack_and_its_key(stack: Stack) -> None:
    encryption = {
        "ServerSideEncryptionConfiguration": [
            {
                "ServerSideEncryptionByDefault": {
                    "SSEAlgorithm": "aws:kms",
                    "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
                }
            }
        ]
    }
    content = template(Bucket=resource("AWS::S3::Bucket", BucketEncryption=encryption), Key=KEY)
    outputs = {"Bucket": {"Value": {"Ref": "Bucket"}}, "Key": {"Value": {"Ref": "Key"}}}
    stack.deploy(content | {"Outputs": outputs})
    found, s3, kms = stack.outputs(), stack.aws.client("s3"), stack.aws.client("kms")
    s3.put_object(Bucket=found["Bucket"], Key="data", Body=b"")
    assert stack.delete() == "DELETE_FAILED"
    assert "not empty" in stack.events("Bucket")[-1][1]
    assert kms.describe_key(KeyId=found["Key"])["KeyMetadata"]["KeyState"] == "Enabled"
    s3.delete_object(Bucket=found["Bucket"], Key="data")
    assert stack.delete() == "DELETE_COMPLETE"
    assert kms.describe_key(KeyId=found["Key"])["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_policy_with_conditions_is_stored_and_does_not_deny_everything(stack: Stack) -> None:
    def statement(condition: dict[str, Any]) -> dict[str, Any]:
        objects = {"Fn::Sub": "arn:aws:s3:::${Bucket}/*"}
        return {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": objects,
            **condition,
        }

    def content(condition: dict[str, Any]) -> dict[str, Any]:
        document = {"Version": "2012-10-17", "Statement": [statement(condition)]}
        policy = resource("AWS::S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=document)
        return template(Bucket=BUCKET, Policy=policy) | {"Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}}

    stack.deploy(content({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}))
    s3, bucket = stack.aws.client("s3"), stack.outputs()["Bucket"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    s3.get_object(Bucket=bucket, Key="a")
    assert stack.update(content({})) == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match=r"403|Forbidden|AccessDenied"):
        s3.get_object(Bucket=bucket, Key="a")
    assert stack.update(template(Bucket=BUCKET)) == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=bucket)


def test_bucket_properties_that_are_taken_away_are_gone(stack: Stack) -> None:
    expiring = {"Id": "x", "Status": "Enabled", "ExpirationInDays": 3}
    full = resource(
        "AWS::S3::Bucket",
        PublicAccessBlockConfiguration={"BlockPublicAcls": True},
        LifecycleConfiguration={"Rules": [expiring]},
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    output = {"Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}}
    stack.deploy(template(Bucket=full) | output)
    s3, bucket = stack.aws.client("s3"), stack.outputs()["Bucket"]
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["Expiration"]["Days"] == 3
    stack.update(template(Bucket=BUCKET) | output)
    for ask in (
        s3.get_public_access_block,
        s3.get_bucket_ownership_controls,
        s3.get_bucket_lifecycle_configuration,
    ):
        with pytest.raises(ClientError, match=r"NoSuch|NotFound"):
            ask(Bucket=bucket)
