"""The parameters of a template."""

import pytest

from helpers.local_aws.cloudformation.templates.parameters import problem as parameter_problem

RULES = {
    "Parameters": {
        "Size": {"Type": "Number", "MinValue": 1, "MaxValue": 5, "Default": 2},
        "Name": {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "small letters"},
        "Kind": {"Type": "String", "AllowedValues": ["x", "y"], "Default": "x"},
        "Java": {"Type": "String", "AllowedPattern": "[\\w-\\+]*", "Default": "a"},
        "Short": {"Type": "String", "MinLength": 1, "MaxLength": "3", "Default": "a"},
        "Ports": {"Type": "List<Number>", "MaxValue": 9, "Default": "1,2"},
    }
}


@pytest.mark.parametrize(
    ("given_parameters", "message"),
    [
        ({"Name": "a"}, None),
        ({"Name": "a", "Size": "5", "Kind": "y"}, None),
        ({}, "[Name] must have values"),
        ({"Name": "a", "Other": "1"}, "[Other] do not exist"),
        ({"Name": "A"}, "small letters"),
        ({"Name": "a", "Kind": "z"}, "must be one of AllowedValues: [x, y]"),
        ({"Name": "a", "Size": "many"}, "must be a number"),
        ({"Name": "a", "Size": "6"}, "from 1 to 5"),
        ({"Name": "a", "Java": "anything"}, None),
        ({"Name": "a", "Short": "abcd"}, "1 to 3 characters"),
        ({"Name": "a", "Ports": "1,10"}, "Ports failed to satisfy constraint"),
        ({"Name": "a", "Ports": "1,x"}, "must be a number"),
    ],
)
def test_parameters_are_held_against_their_constraints(
    given_parameters: dict[str, str], message: str | None
) -> None:
    problem = parameter_problem(RULES, given_parameters, {})
    assert problem is None if message is None else message in (problem or "")
