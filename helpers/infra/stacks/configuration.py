"""What a stack is made of: its template and its parameters, checked before AWS is asked anything."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from helpers.aws import Environment
from helpers.errors import UserError, one_per_line

INFRA = Path(__file__).parents[3] / "infra"
TEMPLATE = "basic_infra.yaml"


@dataclass(frozen=True)
class StackConfiguration:
    """The stack of one environment."""

    environment: Environment
    name: str
    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]


class _TemplateLoader(yaml.SafeLoader):
    """Reads YAML with CloudFormation's short forms (!Ref and so on), whose meaning is of no interest."""


_TemplateLoader.add_multi_constructor("!", lambda _loader, suffix, _node: f"!{suffix}")


def load_configuration(environment: Environment, infra: Path = INFRA) -> StackConfiguration:
    """Return the stack of an environment.

    Args:
        environment: its name, which is also that of its file of parameters.
        infra: the folder of the template, with the parameters in `parameters/`.

    Raises:
        UserError: a file is missing or malformed, or the two do not go together.
    """
    path = infra / "parameters" / f"{environment}.json"
    template_path = infra / TEMPLATE
    sections = _parameter_file(path, environment)
    template = _read(template_path)
    declared = _declared_parameters(template, template_path)
    given = sections["Parameters"]
    required = {name for name, rule in declared.items() if "Default" not in rule}
    problems = [
        f"{key} is no parameter of {template_path}: remove it" for key in sorted(given.keys() - declared)
    ]
    problems += [f"{key} is missing under Parameters: add it" for key in sorted(required - given.keys())]
    _refuse(path, problems)
    return StackConfiguration(environment, stack_name(environment, infra), template, given, sections["Tags"])


def stack_name(environment: Environment, infra: Path = INFRA) -> str:
    """Return the name of an environment's stack, from its file of parameters.

    Raises:
        UserError: the file is missing or malformed.
    """
    path = infra / "parameters" / f"{environment}.json"
    return f"{_parameter_file(path, environment)['Parameters']['ProjectName']}-{environment}"


def _parameter_file(path: Path, environment: Environment) -> dict[str, dict[str, str]]:
    """Return the sections of a file in CloudFormation's format of template configurations."""
    try:
        content = json.loads(_read(path))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}, line {error.lineno}, is no valid JSON: {error.msg}") from error
    if not isinstance(content, dict):
        raise UserError(f'{path} must be an object: {{"Parameters": {{...}}, "Tags": {{...}}}}')
    _refuse(path, [*_section_problems(content), *_value_problems(content)])
    sections = {"Parameters": content["Parameters"], "Tags": content.get("Tags", {})}
    parameters = sections["Parameters"]
    _refuse(path, [f"{key} is missing under Parameters: add it" for key in _KEYS if key not in parameters])
    if parameters["Environment"] != environment:
        said = parameters["Environment"]
        raise UserError(f"{path}: Environment is {said!r} in the file of {environment!r}: make them one")
    return cast("dict[str, dict[str, str]]", sections)


_KEYS = ("ProjectName", "Environment")


def _section_problems(content: Mapping[str, Any]) -> list[str]:
    problems = [
        f"{key} is neither Parameters nor Tags: remove it" for key in content.keys() - {"Parameters", "Tags"}
    ]
    if "Parameters" not in content:
        problems.append("Parameters is missing: add it")
    return problems


def _value_problems(content: Mapping[str, Any]) -> list[str]:
    problems = []
    for section in content.keys() & {"Parameters", "Tags"}:
        if not isinstance(content[section], dict):
            problems.append(f"{section} must be an object of strings")
            continue
        for key, value in content[section].items():
            if not isinstance(value, str):
                problems.append(
                    f"{section}.{key} is {json.dumps(value)}: CloudFormation wants a string, in quotes"
                )
    return sorted(problems)


def parse_template(text: str) -> Any:
    """Return a template as data; short forms of functions become strings."""
    return yaml.load(text, Loader=_TemplateLoader)  # noqa: S506 - a subclass of SafeLoader


def _declared_parameters(template: str, path: Path) -> dict[str, Any]:
    try:
        content = parse_template(template)
    except yaml.YAMLError as error:
        raise UserError(f"{path} is no valid YAML: {error}") from error
    if not isinstance(content, dict) or "Resources" not in content:
        raise UserError(f"{path} is no CloudFormation template: it has no Resources")
    return cast("dict[str, Any]", content.get("Parameters", {}))


def _refuse(path: Path, problems: list[str]) -> None:
    if problems:
        raise UserError(f"{path} cannot be used:{one_per_line(problems)}")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
