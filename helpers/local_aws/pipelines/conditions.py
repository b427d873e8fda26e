"""The conditions of a Condition step: validation and evaluation.

Their members are those of the SDK (`sagemaker.core.workflow.conditions`) and of AWS's JSON schema of pipeline
definitions, which writes membership as Value and In.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from helpers.local_aws.pipelines.expressions import ExpressionError, is_expression

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.ne,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_MEMBERS: Mapping[str, tuple[frozenset[str], ...]] = {
    **dict.fromkeys(_COMPARISONS, (frozenset({"LeftValue", "RightValue"}),)),
    **dict.fromkeys(("In", "NotIn"), (frozenset({"QueryValue", "Values"}), frozenset({"Value", "In"}))),
    "Not": (frozenset({"Condition"}),),
    "Or": (frozenset({"Conditions"}),),
}
"""The types of conditions, each with the sets of members that it can have in addition to Type."""


def condition_problems(conditions: object, where: str) -> Iterator[str]:
    """Yield the problems of a list of conditions that are known before an execution."""
    if not isinstance(conditions, list) or not conditions:
        yield f"{where} must be a list of at least one condition"
        return
    for index, condition in enumerate(conditions):
        yield from _one_problems(condition, f"{where}[{index}]")


def _one_problems(condition: object, where: str) -> Iterator[str]:
    kind = condition.get("Type") if isinstance(condition, dict) else None
    if not isinstance(condition, dict) or not isinstance(kind, str) or kind not in _MEMBERS:
        yield f"{where} must have a Type of {', '.join(_MEMBERS)}, not {kind!r}"
        return
    given, allowed = frozenset(condition) - {"Type"}, _MEMBERS[kind]
    if given not in allowed:
        wanted = " or ".join(" and ".join(sorted(each)) for each in allowed)
        unknown = sorted(given - frozenset().union(*allowed))
        yield (
            f"{where}: Cannot parse object, unknown property '{unknown[0]}'"
            if unknown
            else (f"{where}: {kind} takes {wanted}, not {', '.join(sorted(given)) or 'nothing'}")
        )
    elif kind == "Not":
        yield from _one_problems(condition["Condition"], f"{where}.Condition")
    elif kind == "Or":
        yield from condition_problems(condition["Conditions"], f"{where}.Conditions")
    else:
        yield from _value_problems(condition, where)


def _value_problems(condition: Mapping[str, Any], where: str) -> Iterator[str]:
    for member, value in condition.items():
        values = value if member in {"Values", "In"} else [value]
        if not isinstance(values, list):
            yield f"{where}.{member} must be a list"
        elif not all(isinstance(each, str | int | float) or is_expression(each) for each in values):
            yield f"{where}.{member} must be a string, a number, a boolean or a function, not {value!r}"


def holds(condition: Mapping[str, Any]) -> bool:
    """Return whether a condition with resolved expressions is met.

    Raises:
        ExpressionError: the condition is unknown, a value is missing, or values cannot be compared.
    """
    kind = str(condition.get("Type"))
    try:
        if kind in _COMPARISONS:
            return _COMPARISONS[kind](condition["LeftValue"], condition["RightValue"])
        match kind:
            case "In":
                return _is_member(condition)
            case "NotIn":
                return not _is_member(condition)
            case "Not":
                return not holds(condition["Condition"])
            case "Or":
                return any(holds(inner) for inner in condition["Conditions"])
    except (KeyError, TypeError) as error:
        raise ExpressionError(f"the condition {dict(condition)} cannot be evaluated: {error}") from error
    raise ExpressionError(f"the condition type {kind!r} is unknown")


def _is_member(condition: Mapping[str, Any]) -> bool:
    if "QueryValue" in condition:
        return condition["QueryValue"] in condition["Values"]
    return condition["Value"] in condition["In"]
