"""The steps of a pipeline definition, each checked as far as it can be before an execution."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from helpers.local_aws.api.shapes import shape, shape_problems
from helpers.local_aws.pipelines.expressions import is_expression, referenced_step, references
from helpers.local_aws.pipelines.retry_policy import DEFAULT_POLICIES, RetryPolicy, parse_retry_policy
from helpers.local_aws.pipelines.step_cache import parse_expiry

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


def collect_steps(
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
            problems += collect_steps(nested, f"{where}.{outcome}", (name, outcome), steps)
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
