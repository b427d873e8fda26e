"""Drift, and equal values in other notations."""

from typing import Any

import pytest

from helpers.local_aws.cloudformation.drift import differences
from helpers.local_aws.cloudformation.schemas import ResourceSchema

UNORDERED = {"items": "json", "unordered": True}
SCHEMA = ResourceSchema(
    primary_identifier=(),
    create_only=frozenset(),
    conditional_create_only=frozenset(),
    read_only=frozenset(),
    tags=None,
    permissions={},
    properties={"properties": {"A": "json", "Roles": UNORDERED, "SecurityGroupEgress": UNORDERED}},
    definitions={},
)


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"A": "true"}, {"A": True}, []),
        ({"A": 7}, {"A": "7"}, []),
        ({"A": {"B": 1}}, {"A": {"B": 1, "C": False}}, []),
        ({"A": {"B": 1}}, {"A": {"B": 1, "C": True}}, [("/A/C", "ADD")]),
        ({"A": {"B": 1}}, {"A": {}}, [("/A/B", "REMOVE")]),
        ({"A": [1, 2]}, {"A": [2, 1]}, [("/A/0", "NOT_EQUAL"), ("/A/1", "NOT_EQUAL")]),
        ({"A": [1]}, {"A": [1, 2]}, [("/A/1", "ADD")]),
        ({"Roles": ["a", "b"]}, {"Roles": ["b", "a"]}, []),
        ({"Roles": ["a", "b"]}, {"Roles": ["b", "c"]}, [("/Roles/0", "REMOVE"), ("/Roles/1", "ADD")]),
        (
            {"SecurityGroupEgress": [{"IpProtocol": -1, "FromPort": 0, "CidrIp": "a", "Description": "b"}]},
            {"SecurityGroupEgress": [{"IpProtocol": "-1", "CidrIp": "a"}]},
            [],
        ),
    ],
)
def test_values_are_compared_by_what_they_mean(
    expected: Any, actual: Any, found: list[tuple[str, str]]
) -> None:
    found = [(each["PropertyPath"], each["DifferenceType"]) for each in differences(expected, actual, SCHEMA)]
    assert found == found
