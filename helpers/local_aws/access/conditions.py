"""Evaluates the conditions of policies by IAM's rules.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence

Context = Mapping[str, Sequence[str]]
"""The condition keys of a request in lower case, with their values."""

_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_NEGATED = "Not"


def context_of(keys: Mapping[str, object]) -> Context:
    """Return a context from keys with one or more values; keys without a value are left out."""
    found = {
        key.lower(): [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]
        for key, value in keys.items()
        if value is not None
    }
    return {key: values for key, values in found.items() if values}


def evaluate_conditions(conditions: Mapping[str, Mapping[str, object]], context: Context) -> bool:
    """Return whether all conditions of a statement are met.

    Raises:
        NotImplementedError: an operator is not supported; ignoring it could change the decision.
    """
    return all(
        _operator_holds(name, context.get(key.lower(), ()), _texts(wanted), context)
        for name, keys in conditions.items()
        for key, wanted in keys.items()
    )


def matches(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern with `*` and `?`."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def substitute_policy_variables(text: str, context: Context) -> str | None:
    """Return a text with its policy variables replaced, or None if a variable has no single value."""
    values = {name: context.get(name.lower(), ()) for name in _VARIABLE.findall(text)}
    if any(len(found) != 1 for name, found in values.items() if name not in "*?$"):
        return None
    return _VARIABLE.sub(lambda match: values[match[1]][0] if match[1] not in "*?$" else match[1], text)


def _operator_holds(name: str, actual: Sequence[str], wanted: Sequence[str], context: Context) -> bool:
    quantifier, _, plain = name.rpartition(":")
    if plain == "Null":
        return [str(not actual).lower()] == [value.lower() for value in wanted]
    base = plain.removesuffix("IfExists")
    negated = _NEGATED in base
    compare = _comparison(base.replace(_NEGATED, ""))
    if not actual:
        return base != plain or quantifier == "ForAllValues" or (negated and not quantifier)
    possible = [value for text in wanted if (value := substitute_policy_variables(text, context)) is not None]
    fitting = [any(compare(value, each) for each in possible) != negated for value in actual]
    # Without a quantifier, one matching value meets a condition; a negated one needs all values to differ.
    every = quantifier == "ForAllValues" or (negated and not quantifier)
    return all(fitting) if every else any(fitting)


def _comparison(name: str) -> Callable[[str, str], bool]:
    """Return the function that compares a value of the request with a value of the policy."""
    try:
        return _COMPARISONS[name]
    except KeyError:
        raise NotImplementedError(f"the condition operator {name} is not emulated") from None


def _arn_matches(actual: str, wanted: str) -> bool:
    """Compare two ARNs part by part: a wildcard does not match across the first five colons."""
    ours, theirs = actual.split(":", 5), wanted.split(":", 5)
    return len(ours) == len(theirs) and all(map(matches, theirs, ours))


def _numeric(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda actual, wanted: compare(float(actual), float(wanted))


def _texts(wanted: object) -> list[str]:
    values = wanted if isinstance(wanted, list | tuple) else [wanted]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": operator.eq,
    "StringEqualsIgnoreCase": lambda actual, wanted: actual.lower() == wanted.lower(),
    "StringLike": lambda actual, wanted: matches(wanted, actual),
    "ArnEquals": _arn_matches,
    "ArnLike": _arn_matches,
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
    "NumericEquals": _numeric(operator.eq),
    "NumericLessThan": _numeric(operator.lt),
    "NumericLessThanEquals": _numeric(operator.le),
    "NumericGreaterThan": _numeric(operator.gt),
    "NumericGreaterThanEquals": _numeric(operator.ge),
}
