"""The conditions of a Condition step."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from helpers.local_aws.pipelines.expressions import ExpressionError

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def holds(condition: Mapping[str, Any]) -> bool:
    """Tell whether a condition holds; its expressions are resolved already.

    Raises:
        ExpressionError: an unknown condition, a missing value, or values that cannot be compared.
    """
    kind = str(condition.get("Type"))
    try:
        if kind in _COMPARISONS:
            return _COMPARISONS[kind](condition["LeftValue"], condition["RightValue"])
        match kind:
            case "In":
                return condition["QueryValue"] in condition["Values"]
            case "Not":
                return not holds(condition["Expression"])
            case "Or":
                return any(holds(inner) for inner in condition["Conditions"])
    except (KeyError, TypeError) as error:
        raise ExpressionError(f"the condition {dict(condition)} cannot be evaluated: {error}") from error
    raise ExpressionError(f"the condition type {kind!r} is unknown")
