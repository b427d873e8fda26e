"""The parameters of a template: values, constraints and rules."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from helpers.local_aws.cloudformation.templates.functions import Functions

SSM_TYPE = "AWS::SSM::Parameter::Value<"

Declared = Mapping[str, Mapping[str, Any]]


def declared_in(template: Mapping[str, Any]) -> Declared:
    """Return the parameters that a template declares."""
    declared: Declared = template.get("Parameters") or {}
    return declared


def with_defaults(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Return all parameters that have a value, given or by default, as strings."""
    defaults = {
        name: _text(rule["Default"]) for name, rule in declared_in(template).items() if "Default" in rule
    }
    return {**defaults, **given}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def resolved(
    template: Mapping[str, Any], texts: Mapping[str, str], look_up: Callable[[str], str]
) -> dict[str, Any]:
    """Return the value of Ref for each parameter: a string, or a list of strings.

    Args:
        template: the template that declares the parameters.
        texts: their values as given.
        look_up: returns the value of a Systems Manager parameter.
    """
    declared = declared_in(template)
    return {
        name: _value(declared[name].get("Type", "String"), text, look_up)
        for name, text in texts.items()
        if name in declared
    }


def _value(type_name: str, text: str, look_up: Callable[[str], str]) -> Any:
    if type_name.startswith(SSM_TYPE):
        return _value(type_name.removeprefix(SSM_TYPE).removesuffix(">"), look_up(text), look_up)
    if type_name == "CommaDelimitedList" or type_name.startswith("List<"):
        return [item.strip() for item in text.split(",")] if text else []
    return text


def is_secret(rule: Mapping[str, Any]) -> bool:
    """Return whether the API masks the value of a parameter."""
    return str(rule.get("NoEcho", False)).lower() == "true"


def problem(
    template: Mapping[str, Any], given: Mapping[str, str], pseudo_parameters: Mapping[str, str]
) -> str | None:
    """Return why CloudFormation rejects the given parameters, in its words, or None.

    Args:
        template: the template that declares the parameters.
        given: their values as given.
        pseudo_parameters: the values for the account and region, which rules can refer to.
    """
    declared = declared_in(template)
    if unknown := sorted(given.keys() - declared.keys()):
        return f"Parameters: [{', '.join(unknown)}] do not exist in the template"
    missing = [name for name, rule in declared.items() if name not in given and "Default" not in rule]
    if missing:
        return f"Parameters: [{', '.join(missing)}] must have values"
    return next(_violations(template, with_defaults(template, given), pseudo_parameters), None)


def _violations(
    template: Mapping[str, Any], values: Mapping[str, str], pseudo_parameters: Mapping[str, str]
) -> Iterator[str]:
    for name, rule in declared_in(template).items():
        if not rule.get("Type", "").startswith(SSM_TYPE):  # constraints apply to the value, not to its name
            yield from _violations_of(name, rule, values[name])
    functions = Functions(template, resolved(template, values, str), _Place(pseudo_parameters))
    for rule in template.get("Rules", {}).values():
        if "RuleCondition" in rule and not functions.test(rule["RuleCondition"]):
            continue
        yield from (
            f"Template validation error: {assertion.get('AssertDescription', 'a rule does not hold')}"
            for assertion in rule["Assertions"]
            if not functions.test(assertion["Assert"])
        )


@dataclass(frozen=True)
class _Place:
    """The context of rules, which can refer only to parameters and pseudo parameters."""

    pseudo_parameters: Mapping[str, str]

    def reference(self, name: str) -> str:
        return self.pseudo_parameters[name]

    def attribute(self, name: str, attribute: str) -> NoReturn:
        raise KeyError(f"{name}.{attribute}")

    def imported(self, name: str) -> NoReturn:
        raise KeyError(name)

    def zones(self, region: str) -> NoReturn:
        raise KeyError(region)


def _violations_of(name: str, rule: Mapping[str, Any], value: str) -> Iterator[str]:
    explanation = rule.get("ConstraintDescription")
    failed = f"Parameter {name} failed to satisfy constraint: "
    # The constraints of a list apply to each of its items.
    items = value.split(",") if "List" in rule.get("Type", "") else [value]
    if "AllowedValues" in rule:
        allowed = [_text(each) for each in rule["AllowedValues"]]
        if not {*items} <= {*allowed}:
            message = explanation or f"[{', '.join(allowed)}]"
            yield f"Parameter '{name}' must be one of AllowedValues: {message}"
    pattern = _compiled(rule.get("AllowedPattern"))
    if pattern is not None and not all(pattern.fullmatch(item) for item in items):
        yield failed + (explanation or f"must match pattern {pattern.pattern}")
    shortest, longest = int(rule.get("MinLength", 0)), int(rule.get("MaxLength", len(value)))
    if not shortest <= len(value) <= longest:
        yield failed + (explanation or f"must have {shortest} to {longest} characters")
    if "Number" in rule.get("Type", ""):
        yield from _out_of_range(name, rule, items)


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    """Return a pattern, or None if there is none or if it uses Java's syntax, which is not checked."""
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error:
        return None


def _out_of_range(name: str, rule: Mapping[str, Any], items: list[str]) -> Iterator[str]:
    try:
        numbers = [float(item) for item in items]
    except ValueError:
        yield f"Parameter '{name}' must be a number"
        return
    low, high = (float(rule[key]) if key in rule else None for key in ("MinValue", "MaxValue"))
    if any((low is not None and each < low) or (high is not None and each > high) for each in numbers):
        message = (
            rule.get("ConstraintDescription") or f"from {rule.get('MinValue')} to {rule.get('MaxValue')}"
        )
        yield f"Parameter {name} failed to satisfy constraint: {message}"
