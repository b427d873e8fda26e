"""Validates parameter values with the constraints and rules of a CloudFormation template.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any


def violations(template: Mapping[str, Any], given: Mapping[str, str]) -> Iterator[str]:
    """Yield the reasons why CloudFormation would reject the values, with its messages.

    A parameter without a value and a default is skipped, and so is a rule that refers to it.

    Args:
        template: a template with functions in their long form, such as `Fn::Equals`.
        given: the values of its parameters.

    Raises:
        NotImplementedError: a rule has a function that this module does not support.
    """
    declared = template.get("Parameters", {})
    defaults = {name: str(rule["Default"]) for name, rule in declared.items() if "Default" in rule}
    values = {**defaults, **given}
    yield from (
        problem
        for name, rule in declared.items()
        if name in values and (problem := _violation(name, rule, values[name]))
    )
    for rule in template.get("Rules", {}).values():
        if not values.keys() >= {*_references(rule)}:
            continue
        if "RuleCondition" in rule and not _holds(rule["RuleCondition"], values):
            continue
        yield from (
            f"Template validation error: {assertion.get('AssertDescription', 'a rule does not hold')}"
            for assertion in rule["Assertions"]
            if not _holds(assertion["Assert"], values)
        )


def _violation(name: str, rule: Mapping[str, Any], value: str) -> str | None:
    explanation = rule.get("ConstraintDescription")
    message = f"Parameter {name} failed to satisfy constraint: "
    # The constraints of a list apply to each of its items.
    items = value.split(",") if "List" in rule.get("Type", "") else [value]
    if "AllowedValues" in rule and not {*items} <= {*map(str, rule["AllowedValues"])}:
        allowed = ", ".join(map(str, rule["AllowedValues"]))
        return f"Parameter '{name}' must be one of AllowedValues: {explanation or f'[{allowed}]'}"
    if "AllowedPattern" in rule and not all(re.fullmatch(rule["AllowedPattern"], item) for item in items):
        return message + (explanation or f"must match pattern {rule['AllowedPattern']}")
    if rule.get("Type") == "Number":
        try:
            number = float(value)
        except ValueError:
            return f"Parameter '{name}' must be a number"
        if not float(rule.get("MinValue", number)) <= number <= float(rule.get("MaxValue", number)):
            return message + (explanation or f"from {rule.get('MinValue')} to {rule.get('MaxValue')}")
    return None


def _holds(condition: Any, values: Mapping[str, str]) -> bool:
    match condition:
        case {"Fn::Equals": [one, other]}:
            return _value(one, values) == _value(other, values)
        case {"Fn::Not": [inner]}:
            return not _holds(inner, values)
        case {"Fn::And": list(parts)}:
            return all(_holds(part, values) for part in parts)
        case {"Fn::Or": list(parts)}:
            return any(_holds(part, values) for part in parts)
        case {"Fn::Contains": [items, item]}:
            return _value(item, values) in [_value(each, values) for each in items]
    raise NotImplementedError(f"unsupported condition in a rule: {condition}")


def _value(part: Any, values: Mapping[str, str]) -> str:
    return values[part["Ref"]] if isinstance(part, dict) else str(part)


def _references(part: Any) -> Iterator[str]:
    match part:
        case {"Ref": str(name)}:
            yield name
        case dict():
            for value in part.values():
                yield from _references(value)
        case list():
            for value in part:
                yield from _references(value)
