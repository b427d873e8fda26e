"""The configuration of an environment's stacks, validated before any request to AWS."""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

import yaml

from helpers.algorithm_images import algorithm_image_accounts
from helpers.environments import KEYS as ENVIRONMENT_KEYS
from helpers.environments import (
    Environment,
    EnvironmentSettings,
    file_of,
    is_preview,
    read_settings,
)
from helpers.errors import UserError, one_per_line
from helpers.files import read_json_object
from helpers.infra.constraints import violations
from helpers.project_settings import ProjectSettings, project_settings
from helpers.spark.images import spark_image_accounts

INFRA = Path(__file__).parents[3] / "infra"
DEFAULT_DAYS_TO_LIVE = 3
S3_PREFIX_LIST = "S3PrefixListId"
"""The parameter whose value is looked up in EC2, because it differs by region."""
_LOOP = "Fn::ForEach::"
_IMAGE_ACCOUNTS = (spark_image_accounts, algorithm_image_accounts)


@dataclass(frozen=True)
class StackConfiguration:
    """One stack of an environment."""

    environment: Environment
    name: str
    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    needs: frozenset[str] = frozenset()
    """Parameters without a value yet: outputs of earlier stacks, and values that are looked up."""
    time_to_live: timedelta | None = None
    """How long after a deployment the stack expires, for previews only."""
    protected: bool = False
    """Whether the data of its environment is retained if the stack is deleted."""

    def value(self, name: str) -> str:
        """Return the value of a parameter, or else its default; empty if it has neither."""
        return self.parameters.get(name, _defaults(self.template).get(name, ""))

    def with_outputs(self, outputs: Mapping[str, str]) -> "StackConfiguration":
        """Return the stack with the outputs that it needs as values of its parameters."""
        met = {name: outputs[name] for name in sorted(self.needs) if name in outputs}
        return replace(self, parameters={**self.parameters, **met}, needs=self.needs - met.keys())


class _TemplateLoader(yaml.CSafeLoader):
    """Reads YAML, with the short forms of CloudFormation's functions (`!Ref`) as long forms."""


def _function(loader: _TemplateLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            value = loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


_TemplateLoader.add_multi_constructor("!", _function)


def load_stacks(environment: Environment, infra: Path = INFRA) -> tuple[StackConfiguration, ...]:
    """Return the stacks of an environment in the order of their deployment.

    The value of a parameter is the first of these: the value in the parameter file, a value that follows from
    project.json and the settings (see `_derived`), the output with the same name of an earlier stack, and the
    default in the template.

    Args:
        environment: the environment; previews share the parameter file `preview.json`.
        infra: the folder of the templates and project.json, with the parameter files in `parameters/`.

    Raises:
        UserError: a file is missing or malformed, or its values do not fit the templates; the message names
            every problem.
    """
    path = _path(infra, environment)
    project, settings = project_settings(infra / "project.json"), load_settings(environment, infra)
    file = _parameter_file(path, environment, project)
    given = {**_derived(environment, project, settings), **file["Parameters"]}
    tags = {**_standard_tags(environment, project), **file["Tags"]}
    days = settings.days_to_live or DEFAULT_DAYS_TO_LIVE
    time_to_live = timedelta(days=days) if is_preview(environment) else None
    stacks = []
    known: set[str] = set()
    outputs = {S3_PREFIX_LIST}
    defaults: dict[str, str] = {}
    problems = _image_account_problems(file["Parameters"], settings.region)
    for stack in file["Stacks"]:
        template_path = infra / f"{stack}.yaml"
        text = _read(template_path)
        template = _checked_template(text, template_path)
        declared = template.get("Parameters", {})
        needs = (declared.keys() - given.keys()) & outputs
        problems += [
            f"{key} is missing under Parameters, for {template_path}: add it, or a stack before {stack} "
            "that has an output of this name"
            for key, rule in declared.items()
            if "Default" not in rule and key not in given and key not in needs
        ]
        parameters = {key: value for key, value in given.items() if key in declared}
        problems += [f"{problem} ({template_path})" for problem in _violations(template, parameters, needs)]
        stacks.append(
            StackConfiguration(
                environment,
                stack_name(project.project_name, environment, stack),
                text,
                parameters,
                tags,
                frozenset(needs),
                time_to_live,
                settings.protected,
            )
        )
        known |= declared.keys()
        defaults |= {key: str(rule["Default"]) for key, rule in declared.items() if "Default" in rule}
        outputs |= _output_names(template.get("Outputs", {}))
    problems += [
        f"{key} is not a parameter of the templates {', '.join(file['Stacks'])}: remove it"
        for key in sorted(file["Parameters"].keys() - known)
    ]
    problems += _zone_problems({**defaults, **file["Parameters"]}, settings.region)
    if "VpcCidr" in defaults:
        problems += _overlaps(path, defaults["VpcCidr"])
    _reject(path, list(dict.fromkeys(problems)))
    return tuple(stacks)


def load_settings(environment: Environment, infra: Path = INFRA) -> EnvironmentSettings:
    """Return the settings of an environment; see `load_stacks`.

    Raises:
        UserError: a file is missing or malformed.
    """
    return read_settings(_path(infra, environment), infra / "project.json")


def _derived(
    environment: Environment, project: ProjectSettings, settings: EnvironmentSettings
) -> dict[str, str]:
    """Return the values of parameters that follow from the project, the settings and the region."""
    accounts = image_accounts(settings.region)
    return {
        "ProjectName": project.project_name,
        "Environment": environment,
        "Protected": str(settings.protected).lower(),
        "GitHubRepository": project.repository,
        **({"ImageAccountIds": ",".join(accounts)} if accounts else {}),
    }


def image_accounts(region: str) -> tuple[str, ...]:
    """Return the AWS accounts that own the images of Spark and of the built-in algorithms in a region."""
    found = (accounts().get(region) for accounts in _IMAGE_ACCOUNTS)
    return tuple(dict.fromkeys(account for account in found if account))


def _standard_tags(environment: Environment, project: ProjectSettings) -> dict[str, str]:
    return {
        "Project": project.project_name,
        "Owner": project.owner,
        "Environment": environment,
        "ManagedBy": "CloudFormation",
    }


_DEFINED_ELSEWHERE = {
    "Parameters": {
        "ProjectName": "it is defined in infra/project.json",
        "Environment": "it is the name of the file",
        "Protected": "it follows from the key Protected next to Parameters",
    },
    "Tags": {
        "Project": "it is ProjectName in infra/project.json",
        "Owner": "it is defined in infra/project.json",
        "Environment": "it is the name of the file",
        "ManagedBy": "it is always CloudFormation",
    },
}


def _image_account_problems(given: Mapping[str, str], region: str) -> list[str]:
    """Return a problem for each account that owns images of other regions only."""
    own = image_accounts(region)
    others = {
        account: other
        for accounts in _IMAGE_ACCOUNTS
        for other, account in accounts().items()
        if account not in own
    }
    return [
        f"ImageAccountIds has {account}, the account of the images in {others[account]}, but the "
        f"environment runs in {region}: remove it, the accounts of {region} are added automatically"
        for account in given.get("ImageAccountIds", "").split(",")
        if account in others
    ]


def _zone_problems(values: Mapping[str, str], region: str) -> list[str]:
    """Return the problems of AvailabilityZones, which the rules of a template cannot count."""
    zones = [zone for zone in values.get("AvailabilityZones", "").split(",") if zone]
    problems = [
        f"AvailabilityZones has {zone}, but the environment runs in {region}: name zones of {region}"
        for zone in zones
        if zone.rstrip("abcdefghijklmnopqrstuvwxyz") != region
    ]
    if zones and len({*zones}) != int(values["ZoneCount"]):
        problems.append(
            f"AvailabilityZones has {len({*zones})} zones, and ZoneCount is {values['ZoneCount']}: "
            "name as many zones, each once"
        )
    return problems


def _violations(
    template: Mapping[str, Any], parameters: Mapping[str, str], needs: Collection[str]
) -> list[str]:
    """Return what CloudFormation would reject, before the first stack is created."""
    declared = {key: rule for key, rule in template.get("Parameters", {}).items() if key not in needs}
    found: list[str] = []
    with suppress(
        NotImplementedError
    ):  # only CloudFormation can evaluate the rule; violations found before it are kept
        found.extend(violations({**template, "Parameters": declared}, parameters))
    return found


def _overlaps(path: Path, default: str) -> list[str]:
    """Return a problem for each environment whose network overlaps: such networks cannot be connected.

    Args:
        path: the parameter file of the environment; previews share a range.
        default: the range of an environment without VpcCidr.
    """
    ranges = {}
    for each in path.parent.glob("*.json"):
        content = read_json_object(each)
        _reject(each, _value_problems(content))
        given = content.get("Parameters", {})
        if not given.get("ExistingVpcId"):
            ranges[each.stem] = given.get("VpcCidr", default)
    mine = ranges.pop(path.stem, "")
    return [
        f"VpcCidr {mine} overlaps with {taken} of {name}: each environment needs its own range"
        for name, taken in sorted(ranges.items())
        if _overlap(mine, taken)
    ]


def _overlap(one: str, other: str) -> bool:
    """Return whether two CIDR ranges share addresses; an invalid range is rejected elsewhere."""
    try:
        return ip_network(one, strict=False).overlaps(ip_network(other, strict=False))
    except ValueError:
        return False


def stack_name(project: str, environment: str, template: str) -> str:
    """Return the name of a stack."""
    return f"{project}-{environment}-{template.replace('_', '-')}"


def project_name(infra: Path = INFRA) -> str:
    """Return the name of the project.

    Raises:
        UserError: project.json is missing or malformed.
    """
    return project_settings(infra / "project.json").project_name


def legacy_stack_name(environment: Environment, infra: Path = INFRA) -> str:
    """Return the name of the single stack that earlier versions created; see `project_name`."""
    return f"{project_name(infra)}-{environment}"


def stack_names(environment: Environment, infra: Path = INFRA) -> tuple[str, ...]:
    """Return the names of an environment's stacks in the order of their deployment.

    Raises:
        UserError: a file is missing or malformed.
    """
    project = project_settings(infra / "project.json")
    file = _parameter_file(_path(infra, environment), environment, project)
    return tuple(stack_name(project.project_name, environment, stack) for stack in file["Stacks"])


def _output_names(outputs: Mapping[str, Any]) -> set[str]:
    """Return the names of a template's outputs, including those of its loops."""
    names = set()
    for key, value in outputs.items():
        if not key.startswith(_LOOP):
            names.add(key)
            continue
        identifier, items, body = value
        names |= {name.replace(f"${{{identifier}}}", item) for name in body for item in items}
    return names


def _path(infra: Path, environment: str) -> Path:
    return infra / "parameters" / file_of(environment)


def _parameter_file(path: Path, environment: Environment, project: ProjectSettings) -> dict[str, Any]:
    """Return the sections of a parameter file, with placeholders replaced.

    The file is a CloudFormation template configuration with further keys, such as `Stacks`.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
    """
    content = read_json_object(path)
    _reject(path, [*_section_problems(content), *_value_problems(content)])
    sections = {"Tags": {}, **content}
    placeholders = {
        "Environment": environment,
        "ProjectName": project.project_name,
        "Owner": project.owner,
    }
    for section in ("Parameters", "Tags"):
        sections[section] = {
            key: _replace_placeholders(value, placeholders) for key, value in sections[section].items()
        }
    return sections


def _section_problems(content: Mapping[str, Any]) -> list[str]:
    known = ("Stacks", "Parameters", "Tags", *ENVIRONMENT_KEYS)
    problems = [f"{key} is not one of {', '.join(known)}: remove it" for key in content.keys() - {*known}]
    problems += [f"{key} is missing: add it" for key in known[:2] if key not in content]
    stacks = content.get("Stacks", ["-"])
    if not isinstance(stacks, list) or not stacks or not all(isinstance(name, str) for name in stacks):
        problems.append(
            "Stacks must be a list of names of templates, without .yaml, in the order of deployment"
        )
    elif len({*stacks}) < len(stacks):
        problems.append("Stacks names a template twice: name each once")
    return problems


def _replace_placeholders(text: str, placeholders: Mapping[str, str]) -> str:
    """Return a value with its placeholders replaced, such as `${Environment}`."""
    for name, value in placeholders.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def _value_problems(content: Mapping[str, Any]) -> list[str]:
    problems = []
    for section in content.keys() & {"Parameters", "Tags"}:
        if not isinstance(content[section], dict):
            problems.append(f"{section} must be an object of strings")
            continue
        problems += [
            f"{section}.{key} cannot be set here, {why}: remove it"
            for key, why in _DEFINED_ELSEWHERE[section].items()
            if key in content[section]
        ]
        for key, value in content[section].items():
            if not isinstance(value, str):
                problems.append(f"{section}.{key} is {json.dumps(value)}: write a string, in quotes")
    return sorted(problems)


@cache
def _defaults(template: str) -> Mapping[str, str]:
    declared = parse_template(template).get("Parameters", {})
    return {name: str(rule["Default"]) for name, rule in declared.items() if "Default" in rule}


@cache
def parse_template(text: str) -> Any:
    """Return a template as data, with functions in their long form. Fn::GetAtt keeps its argument.

    A second call returns the same objects, which callers must not change.
    """
    return yaml.load(text, Loader=_TemplateLoader)  # noqa: S506 - a subclass of SafeLoader


def _checked_template(text: str, path: Path) -> dict[str, Any]:
    try:
        content = parse_template(text)
    except yaml.YAMLError as error:
        raise UserError(
            f"{path} is not valid YAML: {error}", hint=f"Correct {path}, then run: make lint"
        ) from error
    if not isinstance(content, dict) or "Resources" not in content:
        raise UserError(
            f"{path} is not a CloudFormation template: it has no Resources",
            hint="Add Resources, as in infra/keys.yaml",
        )
    return cast("dict[str, Any]", content)


def _reject(path: Path, problems: list[str]) -> None:
    if problems:
        raise UserError(
            f"{path} cannot be used:{one_per_line(problems)}",
            hint=f"Correct {path}, then run the command again",
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UserError(
            f"{path} is missing", hint=f"Restore it (git restore {path}), or create it"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}", hint="Make it a readable file in UTF-8") from error
