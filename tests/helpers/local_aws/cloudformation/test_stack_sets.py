"""Stack sets are moto's; their stacks are deployed like all others."""

import json
import uuid

import boto3

from tests.helpers.local_aws.cloudformation.stacks import template


def test_a_stack_set_deploys_a_stack_in_each_region(aws: boto3.Session) -> None:
    cloudformation, name = aws.client("cloudformation"), f"set-{uuid.uuid4().hex[:8]}"
    body = json.dumps(template(Queue={"Type": "AWS::SQS::Queue"}))
    cloudformation.create_stack_set(StackSetName=name, TemplateBody=body)
    where = {"StackSetName": name, "Accounts": ["123456789012"], "Regions": ["us-east-1", "eu-west-1"]}
    cloudformation.create_stack_instances(**where)
    for region in where["Regions"]:
        stacks = aws.client("cloudformation", region_name=region).list_stacks()["StackSummaries"]
        (status,) = (each["StackStatus"] for each in stacks if each["StackName"] == f"StackSet:{name}")
        assert status == "CREATE_COMPLETE"
    cloudformation.delete_stack_instances(**where, RetainStacks=False)
    cloudformation.delete_stack_set(StackSetName=name)
