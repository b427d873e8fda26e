"""A pipeline definition as a checked graph of steps.

The language is that of the definition JSON, version 2020-12-01
(aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Any

from helpers.local_aws.api_shapes import shape, shape_problems
from helpers.local_aws.expressions import is_expression, referenced_step, references
from helpers.local_aws.retry_policy import DEFAULT_POLICIES, RetryPolicy, parse_retry_policy
from helpers.local_aws.step_cache import parse_expiry

VERSION = "2020-12-01"
MAX_BYTES = 1024 * 1024
EXECUTED_STEP_TYPES = frozenset({"Processing", "Condition", "Fail"})
EXECUTION_VARIABLES = frozenset(
    {
        "CurrentDateTime",
        "PipelineArn",
        "PipelineExecutionArn",
        "PipelineExecutionId",
        "PipelineName",
        "ProcessingJobName",
        "StartDateTime",
    }
)
_TOP_KEYS = frozenset(
    {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"}
)
_STEP_KEYS = frozenset(
    {
        "Arguments",
        "CacheConfig",
        "DependsOn",
        "Description",
        "DisplayName",
        "Name",
        "PropertyFiles",
        "RetryPolicies",
        "Type",
    }
)
_PARAMETER_TYPES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}


class DefinitionError(ValueError):
    """A definition that SageMaker would not accept; the message names every problem."""

    def __init__(self, problems: list[str]):
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Parameter:
    """A pipeline parameter; `default` None means that every execution must give a value."""

    name: str
    type: str
    default: object = None
    enum_values: tuple[object, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step: what it needs, what it does, when its result is reused and when it is tried again."""

    name: str
    type: str
    arguments: Mapping[str, Any]
    needs: frozenset[str]
    branch: tuple[str, str] | None = None
    """The condition step whose outcome (`True`, `False`) decides whether this step runs at all."""
    cache_expiry: timedelta | None = None
    retry_policies: tuple[RetryPolicy, ...] = DEFAULT_POLICIES
    property_files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Property file name -> (output name, path below the output)."""
    display_name: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class PipelineDefinition:
    """A whole definition; the steps lie in an order in which they could run."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    experiment: Mapping[str, Any] | None


def parse_definition(text: str) -> PipelineDefinition:
    """Return a definition as a graph.

    Raises:
        DefinitionError: with every problem found.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DefinitionError([f"The pipeline definition is no JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise DefinitionError(["The pipeline definition must be a JSON object"])
    problems = [f"unknown key '{key}' at the top" for key in document if key not in _TOP_KEYS]
    if len(text.encode()) > MAX_BYTES:
        problems.append(f"the definition is larger than {MAX_BYTES} bytes")
    if document.get("Version") != VERSION:
        problems.append(f"Version must be '{VERSION}', not {document.get('Version')!r}")
    parameters, parameter_problems = _parse_parameters(document.get("Parameters") or [])
    problems += parameter_problems
    steps: dict[str, Step] = {}
    if not isinstance(document.get("Steps"), list) or not document["Steps"]:
        problems.append("Steps must be a list of at least one step")
    else:
        problems += _collect_steps(document["Steps"], "Steps", None, steps)
    problems += _reference_problems(document, steps, parameters)
    if problems:
        raise DefinitionError(problems)
    return PipelineDefinition(parameters, _in_running_order(steps), document.get("PipelineExperimentConfig"))


def not_executed(definition: PipelineDefinition) -> list[str]:
    """Return the steps whose type the embedded AWS does not execute, as `Training (step 'train')`."""
    return [
        f"{step.type} (step '{step.name}')"
        for step in definition.steps.values()
        if step.type not in EXECUTED_STEP_TYPES
    ]


def parameter_values(definition: PipelineDefinition, given: Mapping[str, str]) -> dict[str, object]:
    """Return the value of each parameter for an execution that was started with some given ones.

    Raises:
        DefinitionError: an unknown parameter, a missing or a wrong value.
    """
    problems = [
        f"Parameter '{name}' is not in the pipeline definition"
        for name in given
        if name not in definition.parameters
    ]
    values: dict[str, object] = {}
    for name, parameter in definition.parameters.items():
        if name not in given and parameter.default is None:
            problems.append(f"Parameter '{name}' has no default value and must be given")
            continue
        try:
            values[name] = _typed(given[name], parameter.type) if name in given else parameter.default
        except ValueError:
            problems.append(f"Parameter '{name}' must be of type {parameter.type}, not '{given[name]}'")
            continue
        if parameter.enum_values and values[name] not in parameter.enum_values:
            allowed = ", ".join(map(str, parameter.enum_values))
            problems.append(f"Parameter '{name}' must be one of {allowed}, not '{values[name]}'")
    if problems:
        raise DefinitionError(problems)
    return values


def _typed(text: str, type_name: str) -> object:
    match type_name:
        case "Integer":
            return int(text)
        case "Float":
            return float(text)
        case "Boolean":
            if text.lower() not in {"true", "false"}:
                raise ValueError(text)
            return text.lower() == "true"
        case _:
            return text


def _parse_parameters(entries: object) -> tuple[dict[str, Parameter], list[str]]:
    if not isinstance(entries, list):
        return {}, ["Parameters must be a list"]
    problems = []
    parameters: dict[str, Parameter] = {}
    for index, entry in enumerate(entries):
        where = f"Parameters[{index}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("Name"), str):
            problems.append(f"{where} must be an object with a Name")
            continue
        name, type_name = entry["Name"], str(entry.get("Type"))
        problems += [
            f"{where} ('{name}') has the unknown key '{key}'"
            for key in entry
            if key not in {"Name", "Type", "DefaultValue", "EnumValues"}
        ]
        if name in parameters:
            problems.append(f"{where}: the parameter '{name}' is there twice")
        if type_name not in _PARAMETER_TYPES:
            problems.append(f"{where} ('{name}') must have a Type of {', '.join(_PARAMETER_TYPES)}")
            continue
        values = [entry["DefaultValue"]] if entry.get("DefaultValue") is not None else []
        values += entry.get("EnumValues") or []
        problems += [
            f"{where} ('{name}'): {value!r} is not of type {type_name}"
            for value in values
            if not isinstance(value, _PARAMETER_TYPES[type_name])
            or (isinstance(value, bool) and type_name != "Boolean")
        ]
        parameters[name] = Parameter(
            name, type_name, entry.get("DefaultValue"), tuple(entry.get("EnumValues") or ())
        )
    return parameters, problems


def _collect_steps(
    entries: list[Any], path: str, branch: tuple[str, str] | None, steps: dict[str, Step]
) -> list[str]:
    """Add the steps of a list, and those in the branches of its conditions, to `steps`."""
    problems = []
    for index, entry in enumerate(entries):
        where = f"{path}[{index}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("Name"), str):
            problems.append(f"{where} must be an object with a Name")
            continue
        name, type_name = entry["Name"], entry.get("Type")
        where = f"step '{name}'"
        if name in steps:
            problems.append(f"{where} is there twice")
        problems += [f"{where} has the unknown key '{key}'" for key in entry if key not in _STEP_KEYS]
        name_shape = shape("PipelineExecutionStep").members["StepName"]
        problems += shape_problems(name, name_shape, f"{where}: Name")
        arguments = entry.get("Arguments")
        if not isinstance(type_name, str) or not isinstance(arguments, dict):
            problems.append(f"{where} must have a Type and an object of Arguments")
            continue
        branches: dict[str, list[Any]] = {}
        if type_name == "Condition":
            branches = {"True": arguments.get("IfSteps") or [], "False": arguments.get("ElseSteps") or []}
            arguments = {
                key: value for key, value in arguments.items() if key not in {"IfSteps", "ElseSteps"}
            }
        problems += _argument_problems(type_name, arguments, where)
        steps[name], step_problems = _parse_step(entry, arguments, branch, where)
        problems += step_problems
        for outcome, nested in branches.items():
            problems += _collect_steps(nested, f"{where}.{outcome}", (name, outcome), steps)
    return problems


def _parse_step(
    entry: Mapping[str, Any], arguments: Mapping[str, Any], branch: tuple[str, str] | None, where: str
) -> tuple[Step, list[str]]:
    problems: list[str] = []
    expiry = None
    cache = entry.get("CacheConfig") or {}
    if cache.get("Enabled"):
        try:
            expiry = parse_expiry(str(cache.get("ExpireAfter")))
        except ValueError as error:
            problems.append(f"{where}: CacheConfig.ExpireAfter: {error}")
    policies = []
    for index, raw in enumerate(entry.get("RetryPolicies") or []):
        policy, policy_problems = parse_retry_policy(raw, f"{where}: RetryPolicies[{index}]")
        problems += policy_problems
        if policy:
            policies.append(policy)
    files = {}
    for raw in entry.get("PropertyFiles") or []:
        try:
            files[raw["PropertyFileName"]] = (raw["OutputName"], raw["FilePath"])
        except (KeyError, TypeError):
            problems.append(f"{where}: a property file needs PropertyFileName, OutputName and FilePath")
    depends_on = entry.get("DependsOn") or []
    if not isinstance(depends_on, list) or not all(isinstance(name, str) for name in depends_on):
        problems.append(f"{where}: DependsOn must be a list of step names")
        depends_on = []
    needs = {*depends_on, *(name for name in map(referenced_step, references(arguments)) if name)}
    if branch:
        needs.add(branch[0])
    step = Step(
        name=entry["Name"],
        type=entry["Type"],
        arguments=arguments,
        needs=frozenset(needs),
        branch=branch,
        cache_expiry=expiry,
        retry_policies=tuple(policies) or DEFAULT_POLICIES,
        property_files=files,
        display_name=entry.get("DisplayName"),
        description=entry.get("Description"),
    )
    return step, problems


def _argument_problems(type_name: str, arguments: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield what the API would refuse in a step's arguments, as far as it is known before an execution."""
    match type_name:
        case "Processing":
            request = {"ProcessingJobName": "named-by-the-execution", **arguments}
            expected = shape("CreateProcessingJobRequest")
            for problem in shape_problems(request, expected, dynamic=is_expression):
                yield f"{where}: {problem}"
        case "Condition":
            if not isinstance(arguments.get("Conditions"), list):
                yield f"{where}: Arguments.Conditions must be a list"
        case "Fail":
            if "ErrorMessage" not in arguments:
                yield f"{where}: Arguments.ErrorMessage is missing"


def _reference_problems(
    document: Mapping[str, Any], steps: Mapping[str, Step], parameters: Mapping[str, Parameter]
) -> Iterator[str]:
    for reference in sorted(set(references(document.get("Steps")))):
        kind, _, rest = reference.partition(".")
        name = rest.split(".")[0]
        known = {"Steps": steps, "Parameters": parameters, "Execution": EXECUTION_VARIABLES}.get(kind)
        if known is None or name not in known:
            yield f"'{reference}' refers to nothing in this definition"
    for step in steps.values():
        for need in sorted(step.needs - steps.keys()):
            yield f"step '{step.name}' depends on '{need}', which is no step"
    try:
        TopologicalSorter({step.name: step.needs for step in steps.values()}).prepare()
    except CycleError as error:
        yield f"steps depend on each other in a circle: {' -> '.join(error.args[1])}"


def _in_running_order(steps: Mapping[str, Step]) -> dict[str, Step]:
    order = TopologicalSorter({name: step.needs for name, step in steps.items()}).static_order()
    return {name: steps[name] for name in order}
