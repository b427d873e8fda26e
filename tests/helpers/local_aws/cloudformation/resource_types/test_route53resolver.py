"""AWS::Route53Resolver: resources that others refer to by ID, and that have no effect."""

import pytest

from helpers.local_aws.cloudformation.resource_types import RESOURCE_TYPES
from tests.helpers.local_aws.cloudformation.stacks import Stack, resource, template

SERVICE = "AWS::Route53Resolver::"
TYPES = sorted(name for name in RESOURCE_TYPES if name.startswith(SERVICE))


def test_rules_are_found_by_their_ids_and_filter_nothing(stack: Stack) -> None:
    rule = {"Action": "BLOCK", "Priority": 1, "FirewallDomainListId": {"Fn::GetAtt": ["Names", "Id"]}}
    content = template(
        Names=resource(f"{SERVICE}FirewallDomainList", Domains=["*"]),
        Rules=resource(f"{SERVICE}FirewallRuleGroup", FirewallRules=[rule]),
    )
    content["Outputs"] = {"Arn": {"Value": {"Fn::GetAtt": ["Rules", "Arn"]}}}

    assert stack.deploy(content) == "CREATE_COMPLETE"

    assert ":firewall-rule-group/rslvr-frg-" in stack.outputs()["Arn"]
    assert any("not emulated: Domains" in str(event) for event in stack.events("Names"))
    content["Resources"]["Names"]["Properties"]["Domains"] = ["example.com"]
    assert stack.deploy(content, "UPDATE") == "UPDATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE"


@pytest.mark.parametrize("name", TYPES)
def test_no_property_is_declared_to_have_an_effect(name: str) -> None:
    assert RESOURCE_TYPES[name].emulated == frozenset()
    assert RESOURCE_TYPES[name].schema() is not None
