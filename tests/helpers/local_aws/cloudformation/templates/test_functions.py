"""The functions of templates: their values, and that none remains as text."""

from typing import Any

import pytest
from moto.cloudformation.exceptions import ValidationError

from helpers.local_aws.cloudformation.templates.functions import Functions

PARAMETERS = {"Text": "a", "List": ["x", "y"], "Block": "10.0.0.0/24", "Yes": "true"}
TEMPLATE = {
    "Mappings": {"Map": {"one": {"two": "found", "list": ["p", "q"]}}},
    "Conditions": {
        "Holds": {"Fn::Equals": [{"Ref": "Yes"}, True]},
        "Not": {"Fn::Not": [{"Condition": "Holds"}]},
        "Both": {"Fn::And": [{"Condition": "Holds"}, {"Condition": "Not"}]},
        "One": {"Fn::Or": [{"Condition": "Holds"}, {"Condition": "Not"}]},
    },
}


class TemplateContext:
    def reference(self, name: str) -> Any:
        return {"AWS::Region": "eu-west-1", "Thing": "thing-1"}[name]

    def attribute(self, name: str, attribute: str) -> Any:
        return f"{name}/{attribute}"

    def imported(self, name: str) -> str:
        return {"net-vpc": "vpc-1"}[name]

    def zones(self, region: str) -> list[str]:
        return [f"{region}a", f"{region}b"]


FUNCTIONS = Functions(TEMPLATE, PARAMETERS, TemplateContext())
BLOCKS = ["10.0.0.0/27", "10.0.0.32/27"]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"Ref": "List"}, ["x", "y"]),
        ({"Ref": "Thing"}, "thing-1"),
        ({"Fn::GetAtt": ["Thing", "Outputs.A"]}, "Thing/Outputs.A"),
        ({"Fn::GetAtt": "Thing.Arn"}, "Thing/Arn"),
        ({"Fn::Cidr": [{"Ref": "Block"}, 2, 5]}, BLOCKS),
        ({"Fn::Select": [1, {"Fn::Cidr": ["10.0.0.0/24", "2", "5"]}]}, BLOCKS[1]),
        ({"Fn::Join": [",", {"Fn::Cidr": ["10.0.0.0/24", 2, 5]}]}, ",".join(BLOCKS)),
        ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, ["eu-west-1a", "eu-west-1b"]),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b"]),
        ({"Fn::GetAZs": "us-east-1"}, ["us-east-1a", "us-east-1b"]),
        ({"Fn::ImportValue": {"Fn::Sub": ["net-${Which}", {"Which": "vpc"}]}}, "vpc-1"),
        ({"Fn::ImportValue": {"Fn::Join": ["-", ["net", "vpc"]]}}, "vpc-1"),
        ({"Fn::Base64": {"Fn::Sub": "${Text}b"}}, "YWI="),
        ({"Fn::Sub": "${Text} ${Thing.Arn} ${!Literal} ${AWS::Region}"}, "a Thing/Arn ${Literal} eu-west-1"),
        ({"Fn::Sub": ["${X}${Text}", {"X": {"Ref": "Thing"}}]}, "thing-1a"),
        ({"Fn::Sub": ["${X}", {"X": "${!no}"}]}, "${!no}"),
        ({"Fn::Join": ["", ["a", 1, True]]}, "a1true"),
        ({"Fn::Join": [",", ["a", {"Ref": "AWS::NoValue"}, "b"]]}, "a,b"),
        ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
        ({"Fn::If": ["Holds", {"Ref": "Text"}, "no"]}, "a"),
        ({"Fn::If": ["Not", {"Ref": "Text"}, {"Ref": "AWS::NoValue"}]}, None),
        ([1, {"Fn::If": ["Both", 2, {"Ref": "AWS::NoValue"}]}, 3], [1, 3]),
        ({"A": {"Ref": "AWS::NoValue"}, "B": {"Fn::If": ["One", 1, 2]}}, {"B": 1}),
        ({"Fn::FindInMap": ["Map", "one", "list"]}, ["p", "q"]),
        ({"Fn::FindInMap": ["Map", "none", "two", {"DefaultValue": {"Ref": "Text"}}]}, "a"),
        ({"Fn::ToJsonString": {"A": [{"Ref": "Text"}]}}, '{"A":["a"]}'),
        ({"Fn::Length": {"Ref": "List"}}, 2),
        ({"Ref": "A", "Other": 1}, {"Ref": "A", "Other": 1}),
    ],
)
def test_what_a_function_gives(part: Any, expected: Any) -> None:
    assert FUNCTIONS.value(part) == expected


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"Fn::Nothing": 1}, "the function Fn::Nothing is not known here"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "the function Fn::Transform is not known here"),
        ({"Ref": "Nobody"}, r"Unresolved resource dependencies \[Nobody\]"),
        ({"Fn::Cidr": ["10.0.0.0/24", 300, 5]}, "cannot divide 10.0.0.0/24 into 300 blocks"),
        ({"Fn::Cidr": ["nonsense", 1, 5]}, "cannot divide 'nonsense'"),
        ({"Fn::Select": [2, {"Ref": "List"}]}, "nonexistent value at index 2"),
        ({"Fn::Select": ["x", {"Ref": "List"}]}, "an integer index and a list"),
        ({"Fn::Join": [",", {"Ref": "Text"}]}, "every Fn::Join object requires"),
        ({"Fn::Sub": "${List}"}, "variable List in Fn::Sub expression does not resolve to a string"),
        ({"Fn::Sub": ["x"]}, "Fn::Sub intrinsic functions don't specify expected arguments"),
        ({"Fn::Split": ["", "x"]}, "every Fn::Split object requires"),
        ({"Fn::If": ["Unknown", 1, 2]}, "Unresolved condition dependency Unknown"),
        ({"Fn::FindInMap": ["Map", "one", "three"]}, "Unable to get mapping for Map::one::three"),
        ({"Fn::ImportValue": "none"}, "No export named none found"),
        ({"Fn::Equals": [1, 1]}, "the function Fn::Equals is not known here"),
    ],
)
def test_what_cannot_be_evaluated_is_an_error(part: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FUNCTIONS.value(part)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Fn::Equals": [1, "1"]}, True),
        ({"Fn::Equals": [True, "true"]}, True),
        ({"Fn::Equals": [{"Ref": "List"}, ["x", "y"]]}, True),
        ({"Fn::Contains": [["a", "b"], {"Ref": "Text"}]}, True),
        ({"Fn::EachMemberEquals": [{"Ref": "List"}, "x"]}, False),
        ({"Fn::EachMemberIn": [{"Ref": "List"}, ["x", "y", "z"]]}, True),
    ],
)
def test_how_a_condition_is_evaluated(condition: Any, *, expected: bool) -> None:
    assert FUNCTIONS.test(condition) is expected


def test_an_invalid_condition_is_an_error() -> None:
    with pytest.raises(ValidationError, match="is not a condition"):
        FUNCTIONS.test({"Fn::Join": [",", []]})
