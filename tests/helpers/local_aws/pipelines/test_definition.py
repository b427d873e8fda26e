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
    """A processing step; `arguments` are merged into the required ones."""
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
    assert definition.steps["second"].depends_on == {"first": "Completed"}


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
    assert steps["yes"].depends_on == steps["no"].depends_on == {"big": "Completed"}


def test_cache_and_retries_are_read() -> None:
    policy = {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "MaxAttempts": 2}
    parsed = parse_definition(
        text(step("s", CacheConfig={"Enabled": True, "ExpireAfter": "P30D"}, RetryPolicies=[policy]))
    ).steps["s"]

    assert parsed.cache_expiry == timedelta(days=30)
    assert parsed.retry_policies[0].max_attempts == 2


def test_a_disabled_cache_is_not_used() -> None:
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
        ("{", "is not valid JSON"),
        ("[]", "must be a JSON object"),
        (text(), "Steps must be a list of at least one step"),
        (text(step("s"), Verison="1"), "unknown key 'Verison'"),
        (text(step("s"), Version="2019-01-01"), "Version must be '2020-12-01'"),
        (text(step("s"), step("s")), "step 's' is there twice"),
        (text(step("s", Dependson=["a"])), "unknown key 'Dependson'"),
        (text(step("s", DependsOn=["ghost"])), "depends on 'ghost', which is not a step"),
        (text(step("s", DependsOn="a")), "DependsOn must be a list"),
        (text(step("a", DependsOn=["b"]), step("b", DependsOn=["a"])), "in a circle"),
        (text(step("wrong name")), "must match the pattern"),
        (text({"Type": "Processing"}), "must be an object with a Name"),
        (text({"Name": "s", "Type": "Processing"}), "must have an object of Arguments"),
        (text(step("s", arguments={"RoleArn": None})), "misses the required member 'RoleArn'"),
        (text(step("s", arguments={"Enviroment": {}})), "unknown member 'Enviroment'"),
        (text(step("s", arguments={"Environment": {"A": 1}})), "must be of type string"),
        (text(step("s", arguments={"Environment": {"A": {"Get": "Parameters.X"}}})), "'Parameters.X' refers"),
        (text(step("s", arguments={"Environment": {"A": {"Get": "Execution.Moon"}}})), "'Execution.Moon'"),
        (text(step("s", arguments={"Environment": {"A": {"Get": "Steps.x.Y"}}})), "'Steps.x.Y' refers"),
        (text(step("s", CacheConfig={"Enabled": True, "ExpireAfter": "soon"})), "'soon' is not an ISO 8601"),
        (text(step("s", RetryPolicies=[{"ExceptionType": []}])), "RetryPolicies[0].ExceptionType"),
        (text(step("s", PropertyFiles=[{"OutputName": "o"}])), "a property file needs"),
        (
            text({"Name": "c", "Type": "Condition", "Arguments": {}}),
            "Conditions must be a list of at least one",
        ),
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
def test_a_wrong_definition_is_rejected(definition: str, problem: str) -> None:
    assert problem in problems_of(definition)


PARAMETERS = [
    {"Name": "Text", "Type": "String", "DefaultValue": "a"},
    {"Name": "Number", "Type": "Integer", "DefaultValue": 1},
    {"Name": "Plain", "Description": "of no type: a string"},
]


def _arguments(**specification: object) -> dict[str, Any]:
    return {"AppSpecification": {"ImageUri": "image", **specification}}


def _count(value: object) -> dict[str, Any]:
    cluster = {"InstanceType": "ml.m5.xlarge", "InstanceCount": value, "VolumeSizeInGB": 30}
    return {"ProcessingResources": {"ClusterConfig": cluster}}


def _condition(**condition: object) -> dict[str, Any]:
    return {"Name": "c", "Type": "Condition", "Arguments": {"Conditions": [condition]}}


def _input(name: str, path: object) -> dict[str, Any]:
    source = {"S3Uri": "s3://b/x", "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def _get(reference: str) -> dict[str, str]:
    return {"Get": reference}


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        (
            [step("s", arguments=_arguments(ContainerArguments=[_get("Parameters.Number")]))],
            "Cannot assign property reference [Parameters.Number] to argument of type [String]",
        ),
        (
            [step("s", arguments=_count(_get("Parameters.Text")))],
            "Cannot assign property reference [Parameters.Text] to argument of type [Integer]",
        ),
        (
            [step("a"), step("b", arguments=_count(_get("Steps.a.ProcessingJobName")))],
            "Cannot assign property reference [Steps.a.ProcessingJobName] to argument of type [Integer]",
        ),
        (
            [step("s", arguments=_count({"Std:Join": {"On": "", "Values": ["1"]}}))],
            "Cannot assign property reference [Std:Join] to argument of type [Integer]",
        ),
        (
            [step("a"), step("b", arguments={"Environment": {"A": _get("Steps.a.ProcesingJobName")}})],
            "DescribeProcessingJobResponse has no 'ProcesingJobName'",
        ),
        (
            [step("a"), step("b", arguments={"Environment": {"A": _get("Steps.a.RoleArn.X")}})],
            "nothing at 'X'",
        ),
        (
            [
                step("a"),
                _condition(
                    Type="Equals",
                    RightValue=1,
                    LeftValue={"Std:JsonGet": {"PropertyFile": _get("Steps.a.PropertyFiles.f"), "Path": "x"}},
                ),
            ],
            "step 'a' declares no property file 'f'",
        ),
        (
            [step("s", PropertyFiles=[{"PropertyFileName": "f", "OutputName": "o", "FilePath": "x"}])],
            "property file 'f' is of the output 'o', which the step does not have",
        ),
        ([_condition(Type="Contains")], "must have a Type of"),
        ([_condition(Type="Equals", LeftValue=1)], "Equals takes LeftValue and RightValue, not LeftValue"),
        (
            [_condition(Type="Not", Expression={"Type": "Equals", "LeftValue": 1, "RightValue": 1})],
            "Cannot parse object, unknown property 'Expression'",
        ),
        ([_condition(Type="Or", Conditions=[])], "must be a list of at least one condition"),
        ([_condition(Type="In", QueryValue="a", Values="a")], "Values must be a list"),
        ([_condition(Type="Equals", LeftValue=None, RightValue=1)], "must be a string, a number"),
        (
            [{"Name": "c", "Type": "Condition", "Arguments": {"Conditions": []}}],
            "Conditions must be a list of at least one condition",
        ),
        (
            [step("s", arguments={"Environment": {"A": {"Std:Upper": "a"}}})],
            "the function Std:Upper is unknown",
        ),
        (
            [step("s", arguments={"Environment": {"A": {"Std:Join": {"On": "/"}}}})],
            "Std:Join does not take",
        ),
        (
            [step("s", arguments={"ProcessingInputs": [_input("i", "/opt/ml/a"), _input("i", "/opt/ml/b")]})],
            "Input and Output names must be globally unique: [i]",
        ),
        (
            [step("s", arguments={"ProcessingInputs": [_input("i", "/opt/ml/a"), _input("j", "/opt/ml/a")]})],
            "the inputs 'i' and 'j' have the same LocalPath",
        ),
        (
            [step("s", arguments={"ProcessingInputs": [_input("i", "/tmp")]})],
            "LocalPath of an input 'i' must begin with /opt/ml/",
        ),
        ([step("s", arguments={"Tags": [{"Key": "aws:x", "Value": "v"}]})], "aws: prefixed tag key"),
        ([step("s", arguments={"Tags": [{"Key": "k", "Value": "v"}] * 2})], "Duplicate tag keys found: k"),
        ([{"Name": "s", "Type": "Foo", "Arguments": {}}], "not 'Foo'"),
        ([{"Name": "s", "Type": "Lambda", "Arguments": {}, "SqsQueueUrl": "x"}], "unknown key 'SqsQueueUrl'"),
        (
            [{"Name": "f", "Type": "Fail", "Arguments": {"ErrorMessage": "m"}}, step("b", DependsOn=[{}])],
            "Trigger of Completed, Failed, Stopped, Any",
        ),
        (
            [
                {"Name": "l", "Type": "Lambda", "FunctionArn": "arn:aws:lambda:x"},
                step("b", arguments={"Environment": {"A": _get("Steps.l.OutputParameters['o']")}}),
            ],
            "step 'l' declares no such output parameter",
        ),
    ],
)
def test_what_could_never_run_is_rejected_when_it_is_registered(
    steps: list[dict[str, Any]], problem: str
) -> None:
    assert problem in problems_of(text(*steps, Parameters=PARAMETERS))


def test_values_of_the_right_type_are_accepted() -> None:
    joined = {"Std:Join": {"Values": [_get("Parameters.Number"), _get("Execution.StartDateTime")]}}
    path = _get("Parameters.Plain")
    arguments = {
        **_count(_get("Parameters.Number")),
        **_arguments(ContainerArguments=[_get("Parameters.Text"), _get("Parameters.Plain"), joined]),
        "Environment": {"JOB": _get("Execution.ProcessingJobName"), "MADE": _get("Steps.c.Outcome")},
        "ProcessingInputs": [_input("i", path), _input("j", path)],
    }
    condition = _condition(Type="NotIn", QueryValue=_get("Parameters.Text"), Values=["b"])

    parse_definition(text(condition, step("s", arguments=arguments), Parameters=PARAMETERS))


def test_a_default_is_one_of_the_allowed_values() -> None:
    parameter = {"Name": "P", "Type": "String", "DefaultValue": "c", "EnumValues": ["a", "b"]}

    assert "DefaultValue 'c' must be one of a, b" in problems_of(text(step("s"), Parameters=[parameter]))


def test_all_problems_are_reported_together() -> None:
    found = problems_of(text(step("a", Retry=1), step("b", DependsOn=["ghost"]), Verison="1"))

    assert all(word in found for word in ("Retry", "ghost", "Verison"))


def test_step_types_that_are_not_executed_are_named() -> None:
    other = {"Name": "grow", "Type": "AutoML", "Arguments": {}}
    check = {"Name": "check", "Type": "QualityCheck", "Arguments": {}}
    definition = parse_definition(text(other, step("s"), check))

    assert not_executed(definition) == [
        "AutoML (step 'grow')",
        "QualityCheck (step 'check': its image is closed, and SageMaker Model Monitor takes no new "
        "customers)",
    ]


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
def test_wrong_parameters_are_rejected(given: dict[str, str], problem: str) -> None:
    parameters = [
        {"Name": "S", "Type": "String", "DefaultValue": "s", "EnumValues": ["s", "t"]},
        {"Name": "I", "Type": "Integer"},
        {"Name": "B", "Type": "Boolean", "DefaultValue": True},
    ]
    definition = parse_definition(text(step("s"), Parameters=parameters))

    with pytest.raises(DefinitionError, match=problem):
        parameter_values(definition, given)
