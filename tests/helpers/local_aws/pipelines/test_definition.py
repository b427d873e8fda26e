import json
from datetime import timedelta
from typing import Any

import pytest

from helpers.local_aws.pipelines.definition import (
    DefinitionError,
    not_executed,
    parameter_values,
    parse_definition,
)

ROLE = "arn:aws:iam::123456789012:role/r"


def step(name: str, **members: Any) -> dict[str, Any]:
    """A processing step; `arguments` are merged into those that it must have."""
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": "image"},
        "RoleArn": ROLE,
        **members.pop("arguments", {}),
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **members}


def text(*steps: dict[str, Any], **members: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps), **members})


def problems_of(definition: str) -> str:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(definition)
    return "\n".join(caught.value.problems)


def test_steps_lie_in_an_order_in_which_they_can_run() -> None:
    uses_first = {"Environment": {"IN": {"Get": "Steps.first.ProcessingJobArn"}}}
    definition = parse_definition(
        text(step("third", DependsOn=["second"]), step("second", arguments=uses_first), step("first"))
    )

    assert list(definition.steps) == ["first", "second", "third"]
    assert definition.steps["second"].needs == {"first"}


def test_the_steps_of_a_branch_need_their_condition() -> None:
    condition = {
        "Name": "big",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
            "IfSteps": [step("yes")],
            "ElseSteps": [{"Name": "no", "Type": "Fail", "Arguments": {"ErrorMessage": "small"}}],
        },
    }

    steps = parse_definition(text(condition)).steps

    assert steps["yes"].branch == ("big", "True")
    assert steps["no"].branch == ("big", "False")
    assert steps["yes"].needs == steps["no"].needs == {"big"}


def test_cache_and_retries_are_read() -> None:
    policy = {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "MaxAttempts": 2}
    parsed = parse_definition(
        text(step("s", CacheConfig={"Enabled": True, "ExpireAfter": "P30D"}, RetryPolicies=[policy]))
    ).steps["s"]

    assert parsed.cache_expiry == timedelta(days=30)
    assert parsed.retry_policies[0].max_attempts == 2


def test_a_disabled_cache_is_none() -> None:
    cache = {"Enabled": False, "ExpireAfter": "whatever"}

    assert parse_definition(text(step("s", CacheConfig=cache))).steps["s"].cache_expiry is None


def test_values_known_only_later_are_accepted_wherever_they_stand() -> None:
    resources = {
        "ClusterConfig": {
            "InstanceType": {"Get": "Parameters.Type"},
            "InstanceCount": {"Get": "Parameters.Count"},
            "VolumeSizeInGB": 30,
        }
    }
    parameters = [{"Name": "Type", "Type": "String"}, {"Name": "Count", "Type": "Integer", "DefaultValue": 2}]

    definition = parse_definition(
        text(step("s", arguments={"ProcessingResources": resources}), Parameters=parameters)
    )

    assert definition.parameters["Count"].default == 2


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ("{", "is no JSON"),
        ("[]", "must be a JSON object"),
        (text(), "Steps must be a list of at least one step"),
        (text(step("s"), Verison="1"), "unknown key 'Verison'"),
        (text(step("s"), Version="2019-01-01"), "Version must be '2020-12-01'"),
        (text(step("s"), step("s")), "step 's' is there twice"),
        (text(step("s", Dependson=["a"])), "unknown key 'Dependson'"),
        (text(step("s", DependsOn=["ghost"])), "depends on 'ghost', which is no step"),
        (text(step("s", DependsOn="a")), "DependsOn must be a list"),
        (text(step("a", DependsOn=["b"]), step("b", DependsOn=["a"])), "in a circle"),
        (text(step("wrong name")), "must match the pattern"),
        (text({"Type": "Processing"}), "must be an object with a Name"),
        (text({"Name": "s", "Type": "Processing"}), "must have a Type and an object of Arguments"),
        (text(step("s", arguments={"RoleArn": None})), "misses the required member 'RoleArn'"),
        (text(step("s", arguments={"Enviroment": {}})), "unknown member 'Enviroment'"),
        (text(step("s", arguments={"Environment": {"A": 1}})), "must be of type string"),
        (text(step("s", arguments={"Environment": {"A": {"Get": "Parameters.X"}}})), "'Parameters.X' refers"),
        (text(step("s", arguments={"Environment": {"A": {"Get": "Execution.Moon"}}})), "'Execution.Moon'"),
        (text(step("s", arguments={"Environment": {"A": {"Get": "Steps.x.Y"}}})), "'Steps.x.Y' refers"),
        (text(step("s", CacheConfig={"Enabled": True, "ExpireAfter": "soon"})), "'soon' is no ISO 8601"),
        (text(step("s", RetryPolicies=[{"ExceptionType": []}])), "RetryPolicies[0].ExceptionType"),
        (text(step("s", PropertyFiles=[{"OutputName": "o"}])), "a property file needs"),
        (text({"Name": "c", "Type": "Condition", "Arguments": {}}), "Conditions must be a list"),
        (text({"Name": "f", "Type": "Fail", "Arguments": {}}), "ErrorMessage is missing"),
        (text(step("s"), Parameters={"P": 1}), "Parameters must be a list"),
        (text(step("s"), Parameters=["P"]), "Parameters[0] must be an object"),
        (text(step("s"), Parameters=[{"Name": "P", "Type": "Date"}]), "must have a Type of String"),
        (
            text(step("s"), Parameters=[{"Name": "P", "Type": "Integer", "DefaultValue": "1"}]),
            "'1' is not of",
        ),
        (text(step("s"), Parameters=[{"Name": "P", "Type": "String", "Default": "1"}]), "key 'Default'"),
        (text(step("s"), Parameters=[{"Name": "P", "Type": "String"}] * 2), "'P' is there twice"),
        (text(step("s"), Metadata="x" * 1024 * 1024), "larger than"),
    ],
)
def test_a_wrong_definition_is_refused(definition: str, problem: str) -> None:
    assert problem in problems_of(definition)


def test_all_problems_are_told_at_once() -> None:
    found = problems_of(text(step("a", Retry=1), step("b", DependsOn=["ghost"]), Verison="1"))

    assert all(word in found for word in ("Retry", "ghost", "Verison"))


def test_step_types_that_are_not_executed_are_named() -> None:
    definition = parse_definition(text({"Name": "train", "Type": "Training", "Arguments": {}}, step("s")))

    assert not_executed(definition) == ["Training (step 'train')"]


def test_given_parameters_take_the_types_of_the_definition() -> None:
    parameters = [
        {"Name": "S", "Type": "String", "DefaultValue": "s", "EnumValues": ["s", "t"]},
        {"Name": "I", "Type": "Integer"},
        {"Name": "F", "Type": "Float", "DefaultValue": 1},
        {"Name": "B", "Type": "Boolean", "DefaultValue": False},
    ]
    definition = parse_definition(text(step("s"), Parameters=parameters))

    values = parameter_values(definition, {"I": "7", "F": "2.5", "B": "true"})

    assert values == {"S": "s", "I": 7, "F": 2.5, "B": True}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "'I' has no default value and must be given"),
        ({"I": "seven"}, "'I' must be of type Integer, not 'seven'"),
        ({"I": "1", "S": "x"}, "'S' must be one of s, t, not 'x'"),
        ({"I": "1", "B": "maybe"}, "'B' must be of type Boolean"),
        ({"I": "1", "X": "1"}, "'X' is not in the pipeline definition"),
    ],
)
def test_wrong_parameters_are_refused(given: dict[str, str], problem: str) -> None:
    parameters = [
        {"Name": "S", "Type": "String", "DefaultValue": "s", "EnumValues": ["s", "t"]},
        {"Name": "I", "Type": "Integer"},
        {"Name": "B", "Type": "Boolean", "DefaultValue": True},
    ]
    definition = parse_definition(text(step("s"), Parameters=parameters))

    with pytest.raises(DefinitionError, match=problem):
        parameter_values(definition, given)
