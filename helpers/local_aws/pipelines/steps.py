"""The steps of a pipeline definition, each validated by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from helpers.local_aws.api.shapes import shape, shape_problems
from helpers.local_aws.pipelines.conditions import condition_problems
from helpers.local_aws.pipelines.expressions import function_problems, referenced_step, references
from helpers.local_aws.pipelines.retry_policy import (
    DEFAULT_POLICIES,
    JOB_EXCEPTIONS,
    RetryPolicy,
    parse_retry_policy,
)
from helpers.local_aws.pipelines.step_cache import parse_expiry
from helpers.local_aws.pipelines.step_types import STEP_TYPES

Trigger = Literal["Completed", "Failed", "Stopped", "Any"]
"""The status of a step for which a dependent step runs."""
_TRIGGERS = ("Completed", "Failed", "Stopped", "Any")


@dataclass(frozen=True)
class Step:
    """A step: its dependencies, its request, its caching and its retry policies."""

    name: str
    type: str
    arguments: Mapping[str, Any]
    depends_on: Mapping[str, Trigger]
    branch: tuple[str, str] | None = None
    """The condition step whose result (`True` or `False`) decides whether this step runs."""
    cache_expiry: timedelta | None = None
    retry_policies: tuple[RetryPolicy, ...] = DEFAULT_POLICIES
    property_files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Property file name -> (output name, path below the output)."""
    output_parameters: Mapping[str, str] = field(default_factory=dict)
    """The types of output parameters by name, such as `String`."""
    queue_url: object = None
    """The queue of a Callback step: a URL, or a function that returns one."""
    display_name: str | None = None
    description: str | None = None


def collect_steps(
    entries: list[Any], path: str, branch: tuple[str, str] | None, steps: dict[str, Step]
) -> list[str]:
    """Add the steps of a list, and of its condition branches, to `steps`; return the problems."""
    problems = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("Name"), str):
            problems.append(f"{path}[{index}] must be an object with a Name")
            continue
        name = entry["Name"]
        where = f"step '{name}'"
        if name in steps:
            problems.append(f"{where} is there twice")
        name_shape = shape("PipelineExecutionStep").members["StepName"]
        problems += shape_problems(name, name_shape, f"{where}: Name")
        found = list(_key_problems(entry, where))
        problems += found
        arguments = entry.get("Arguments", {})
        if entry.get("Type") not in STEP_TYPES or not isinstance(arguments, dict):
            continue
        branches: dict[str, list[Any]] = {}
        if entry["Type"] == "Condition":
            branches = {"True": arguments.get("IfSteps") or [], "False": arguments.get("ElseSteps") or []}
            arguments = {
                key: value for key, value in arguments.items() if key not in {"IfSteps", "ElseSteps"}
            }
        problems += _argument_problems(entry["Type"], arguments, where)
        steps[name], step_problems = _parse_step(entry, arguments, branch, where)
        problems += step_problems
        for outcome, nested in branches.items():
            problems += collect_steps(nested, f"{where}.{outcome}", (name, outcome), steps)
    return problems


def _key_problems(entry: Mapping[str, Any], where: str) -> Iterator[str]:
    type_name = entry.get("Type")
    step_type = STEP_TYPES.get(type_name) if isinstance(type_name, str) else None
    if step_type is None:
        yield f"{where} must have a Type of {', '.join(STEP_TYPES)}, not {type_name!r}"
        return
    yield from (
        f"{where} has the unknown key '{key}' for a {type_name} step"
        for key in entry
        if key not in step_type.keys
    )
    if type_name == "Callback" and not entry.get("SqsQueueUrl"):
        yield f"{where} must have a SqsQueueUrl"
    if not isinstance(entry.get("Arguments"), dict) and (step_type.needs_arguments or "Arguments" in entry):
        yield f"{where} must have an object of Arguments"


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
            problems += _job_exception_problems(policy, entry["Type"], where)
    files = {}
    for raw in entry.get("PropertyFiles") or []:
        try:
            files[raw["PropertyFileName"]] = (raw["OutputName"], raw["FilePath"])
        except (KeyError, TypeError):
            problems.append(f"{where}: a property file needs PropertyFileName, OutputName and FilePath")
    depends_on, dependency_problems = _dependencies(entry.get("DependsOn") or [], where)
    problems += dependency_problems
    named = [name for name in map(referenced_step, references(arguments)) if name]
    for name in (*named, *([branch[0]] if branch else [])):
        depends_on.setdefault(name, "Completed")
    outputs = entry.get("OutputParameters") or []
    step = Step(
        name=entry["Name"],
        type=entry["Type"],
        arguments=arguments,
        depends_on=depends_on,
        branch=branch,
        cache_expiry=expiry,
        retry_policies=tuple(policies) or DEFAULT_POLICIES,
        property_files=files,
        output_parameters={
            output["OutputName"]: output.get("OutputType", "String")
            for output in outputs
            if "OutputName" in output
        },
        queue_url=entry.get("SqsQueueUrl"),
        display_name=entry.get("DisplayName"),
        description=entry.get("Description"),
    )
    return step, problems


def _job_exception_problems(policy: RetryPolicy, type_name: str, where: str) -> Iterator[str]:
    """Yield an error if a step without a job has a retry policy for the result of a job."""
    if type_name in {"Model", "RegisterModel"} and (found := policy.exception_types & JOB_EXCEPTIONS):
        yield f"{where}: a {type_name} step is not retried for {', '.join(sorted(found))}"


def _dependencies(entries: object, where: str) -> tuple[dict[str, Trigger], list[str]]:
    """Return the steps of DependsOn, each a name or an object with Step and Trigger, and the problems."""
    found: dict[str, Trigger] = {}
    for entry in entries if isinstance(entries, list) else [None]:
        match entry:
            case str():
                found[entry] = "Completed"
            case {
                "Step": str(name),
                "Trigger": "Completed" | "Failed" | "Stopped" | "Any" as trigger,
                **rest,
            } if not rest:
                found[name] = trigger
            case _:
                return {}, [
                    f"{where}: DependsOn must be a list of step names, or of objects with Step and a "
                    f"Trigger of {', '.join(_TRIGGERS)}"
                ]
    return found, []


def _argument_problems(type_name: str, arguments: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from (f"{where}: {problem}" for problem in function_problems(arguments))
    match type_name:
        case "Condition":
            yield from (
                f"{where} has the unknown argument '{key}'" for key in arguments if key != "Conditions"
            )
            yield from condition_problems(arguments.get("Conditions"), f"{where}: Conditions")
        case "Fail":
            if "ErrorMessage" not in arguments:
                yield f"{where}: Arguments.ErrorMessage is missing"
