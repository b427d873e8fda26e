"""Each property in the templates of infra/ is created, updated and read back with the service's API."""

from collections import defaultdict
from typing import Any

import boto3
import pytest

from helpers.local_aws.cloudformation.resource_types import RESOURCE_TYPES
from helpers.local_aws.cloudformation.templates.validation import parse_template
from tests.helpers.local_aws.cloudformation.resource_types.emulated_properties import (
    SURROUNDINGS,
    VALUES,
    Values,
    values,
)
from tests.helpers.local_aws.cloudformation.stacks import Stack, resource, template
from tests.infra_folder import INFRA

ELSEWHERE = {
    # test_route53resolver.py: they have no effect, and are declared so
    "AWS::Route53Resolver::FirewallDomainList": {"Domains", "Name"},
    "AWS::Route53Resolver::FirewallRuleGroup": {"FirewallRules", "Name"},
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": {
        *("FirewallRuleGroupId", "Name", "Priority", "VpcId"),
    },
    "AWS::Route53Resolver::ResolverQueryLoggingConfig": {"DestinationArn", "Name"},
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation": {
        *("ResolverQueryLogConfigId", "ResourceId"),
    },
    "AWS::KMS::Key": {"PendingWindowInDays"},  # test_kms.py: visible only after the deletion of the key
    "AWS::SSM::Association": {"AssociationName", "Name", "Parameters", "ScheduleExpression"},  # test_ssm.py
}


@pytest.fixture(scope="module")
def around(aws: boto3.Session) -> dict[str, str]:
    stack = Stack(aws)
    assert stack.deploy(SURROUNDINGS) == "CREATE_COMPLETE"
    return stack.outputs()


def used_in_templates() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for path in INFRA.glob("*.yaml"):
        for each in parse_template(path.read_text(), {"VpcCidr": "10.0.0.0/16"})["Resources"].values():
            found[each["Type"]] |= set(each.get("Properties", {}))
    return found


def test_every_property_of_the_templates_is_among_them(aws: boto3.Session, around: dict[str, str]) -> None:
    tested = {name: set(values(name, aws, around, "x").first) for name in VALUES}
    used = used_in_templates()
    missing = {name: used[name] - tested.get(name, set()) - ELSEWHERE.get(name, set()) for name in used}
    assert {name: properties for name, properties in missing.items() if properties} == {}


class Deployed:
    """A resource in a separate stack."""

    def __init__(self, stack: Stack, type_name: str, of_type: Values):
        self._stack, self._type_name, self._of_type = stack, type_name, of_type

    def update_to(self, properties: dict[str, Any], kind: str) -> str:
        """Update the properties and return the physical ID."""
        content = template(It=resource(self._type_name, **properties))
        status = self._stack.deploy(content, kind)
        assert status == f"{kind}_COMPLETE", self._stack.events("It")
        (found,) = self._stack.client.describe_stack_resources(StackName=self._stack.name)["StackResources"]
        physical_id = str(found["PhysicalResourceId"])
        shown = self._of_type.read(physical_id)
        assert {name: shown[name] for name in properties} == properties
        return physical_id


@pytest.mark.parametrize("type_name", VALUES)
def test_properties_have_an_effect(
    type_name: str, aws: boto3.Session, stack: Stack, around: dict[str, str]
) -> None:
    of_type = values(type_name, aws, around, stack.name)
    differing = {name for name in of_type.first if of_type.first[name] != of_type.second[name]}
    assert differing >= set(of_type.first) - {"LogDestinationType"}, "two values, or nothing is shown"
    schema = RESOURCE_TYPES[type_name].schema()
    assert schema is not None
    create_only = {path.split("/")[0] for path in schema.create_only}
    in_place = {name: value for name, value in of_type.second.items() if name not in create_only}
    conditional = {name for name in in_place if name in schema.conditional_create_only}
    if conditional:  # a dependent property changes with it
        in_place = {}

    deployed = Deployed(stack, type_name, of_type)
    first = deployed.update_to(dict(of_type.first), "CREATE")
    if in_place:
        assert deployed.update_to({**of_type.first, **in_place}, "UPDATE") == first
    if set(of_type.first) & create_only:
        assert deployed.update_to(dict(of_type.second), "UPDATE") != first
    assert stack.delete() == "DELETE_COMPLETE"
