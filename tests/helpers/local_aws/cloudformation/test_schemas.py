"""The stored resource schemas equal those in cfn-lint, and their use."""

import json
from typing import Any

import pytest

from helpers.local_aws.cloudformation.changes import replacement
from helpers.local_aws.cloudformation.resource_types import RESOURCE_TYPES, resource_type
from helpers.local_aws.cloudformation.resource_types.base import AccountRegion
from helpers.local_aws.cloudformation.schemas import ATTRIBUTES_FILE, SCHEMAS_FILE, schema_of
from helpers.local_aws.cloudformation.update_schemas import attributes, schemas, type_names
from tests.helpers.local_aws.cloudformation.stacks import KEY, Stack, resource, template

PLACE = AccountRegion("123456789012", "us-east-1")


def test_the_kept_schemas_are_those_that_cfn_lint_ships() -> None:
    assert json.loads(SCHEMAS_FILE.read_text()) == schemas(RESOURCE_TYPES), "run: make schemas"
    kept = json.loads(ATTRIBUTES_FILE.read_text())
    assert list(kept) == type_names(), "run: make schemas"
    assert {name: kept[name] for name in RESOURCE_TYPES} == attributes(RESOURCE_TYPES), "run: make schemas"


@pytest.mark.parametrize("name", RESOURCE_TYPES)
def test_what_a_type_emulates_are_properties_of_its_schema(name: str) -> None:
    schema = schema_of(name)
    assert schema is not None
    known = schema.properties["properties"]  # type: ignore[index]
    emulated = RESOURCE_TYPES[name].emulated or frozenset()
    assert {each.split(".")[0] for each in emulated} <= set(known) - schema.read_only


@pytest.mark.parametrize(
    ("type_name", "before", "after", "expected"),
    [
        ("AWS::EC2::FlowLog", {"TrafficType": "ALL"}, {"TrafficType": "REJECT"}, "True"),
        ("AWS::SNS::Topic", {"TopicName": "a"}, {"TopicName": "b"}, "True"),
        ("AWS::Events::Rule", {"Name": "a"}, {"Name": "b"}, "True"),
        ("AWS::CloudWatch::Dashboard", {"DashboardName": "a"}, {}, "True"),
        ("AWS::Budgets::Budget", {"Budget": {"BudgetName": "a"}}, {"Budget": {"BudgetName": "b"}}, "True"),
        ("AWS::Budgets::Budget", {"Budget": {"BudgetName": "a"}}, {"Budget": {}}, "True"),
        ("AWS::Budgets::Budget", {"Budget": {"TimeUnit": "MONTHLY"}}, {"Budget": {}}, "False"),
        ("AWS::Events::Rule", {}, {"EventBusName": "other"}, "Conditional"),
        ("AWS::EC2::VPC", {"InstanceTenancy": "dedicated"}, {}, "Conditional"),
        ("AWS::KMS::Key", {}, {"KeySpec": "RSA_2048"}, "False"),
        ("AWS::S3::Bucket", {}, {"VersioningConfiguration": {"Status": "Enabled"}}, "False"),
    ],
)
def test_what_a_change_replaces(
    type_name: str, before: dict[str, Any], after: dict[str, Any], expected: str
) -> None:
    old, new = ({"Type": type_name, "Properties": each} for each in (before, after))
    assert replacement(resource_type(type_name, PLACE), old, new) == expected


@pytest.mark.parametrize(
    ("type_name", "given", "expected"),
    [
        ("AWS::EC2::FlowLog", {"MaxAggregationInterval": "600"}, {"MaxAggregationInterval": 600}),
        ("AWS::EC2::VPC", {"EnableDnsSupport": "false"}, {"EnableDnsSupport": False}),
        (
            "AWS::Budgets::Budget",
            {"Budget": {"BudgetLimit": {"Amount": "100"}}},
            {"Budget": {"BudgetLimit": {"Amount": 100}}},
        ),
        (
            "AWS::S3::Bucket",
            {"Tags": [{"Key": "a", "Value": True}]},
            {"Tags": [{"Key": "a", "Value": "true"}]},
        ),
        ("AWS::S3::Bucket", {"BucketName": 7}, {"BucketName": "7"}),
        ("AWS::KMS::Key", {"KeyPolicy": {"A": 1}}, {"KeyPolicy": {"A": 1}}),
    ],
)
def test_values_have_the_type_that_the_schema_asks_for(
    type_name: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    schema = schema_of(type_name)
    assert schema is not None
    coerced = schema.coerced(given)
    assert coerced == expected
    assert json.dumps(coerced) == json.dumps(expected), "1 is not True"


def test_what_kms_does_not_change_fails_the_update(stack: Stack) -> None:
    outputs = {"Outputs": {"Key": {"Value": {"Ref": "Key"}}}}
    stack.deploy(template(Key=KEY) | outputs)
    before = stack.outputs()
    other = {**KEY, "Properties": {**KEY["Properties"], "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}}
    (change,) = stack.change_set("UPDATE", template(Key=other) | outputs)["Changes"]
    assert change["ResourceChange"]["Replacement"] == "False"
    assert stack.update(template(Key=other) | outputs) == "UPDATE_ROLLBACK_COMPLETE"
    assert (
        "UPDATE_FAILED",
        "You cannot change the KeySpec property of a KMS key. Create another key instead.",
    ) in stack.events("Key")
    assert stack.outputs() == before


def test_a_change_set_names_what_may_be_replaced(stack: Stack) -> None:
    vpc = resource("AWS::EC2::VPC", CidrBlock="10.9.0.0/16", InstanceTenancy="dedicated")
    stack.deploy(template(Vpc=vpc))
    (change,) = stack.change_set("UPDATE", template(Vpc=resource("AWS::EC2::VPC", CidrBlock="10.9.0.0/16")))[
        "Changes"
    ]
    found = change["ResourceChange"]
    assert found["Replacement"] == "Conditional"
    assert found["Details"][0]["Target"]["RequiresRecreation"] == "Conditionally"
