"""Conditions of policies, based on the tables in IAM's user guide."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.local_aws.access.conditions import context_of, evaluate_conditions, matches

VALUES = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3)


@pytest.mark.parametrize(
    ("operator", "wanted", "actual", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringLike", "a*", "ab", True),
        ("StringLike", "a?", "a", False),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringNotLike", "a*", "ab", False),
        ("ArnLike", "arn:aws:iam::*:role/x*", "arn:aws:iam::1:role/xy", True),
        ("ArnEquals", "arn:aws:iam::1:role/*", "arn:aws:iam::1:role/a/b", True),
        ("ArnLike", "arn:aws:*:role/x", "arn:aws:iam::1:role/x", False),  # a wildcard stays within its part
        ("ArnNotEquals", "arn:aws:iam::1:role/x", "arn:aws:iam::1:role/y", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("NumericLessThan", "1.2", "1.19", True),
        ("NumericGreaterThanEquals", "10", "9", False),
        ("Null", "true", "x", False),
        ("Null", "false", "x", True),
        # a missing key
        ("StringEquals", "a", None, False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringNotEquals", "a", None, True),
        ("Bool", "false", None, False),
        ("BoolIfExists", "false", None, True),
        ("Null", "true", None, True),
        ("ForAllValues:StringEquals", "a", None, True),
        ("ForAnyValue:StringEquals", "a", None, False),
        ("ForAnyValue:StringNotEquals", "a", None, False),
        ("ForAllValues:StringNotEquals", "a", None, True),
        # several values
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAnyValue:StringEquals", ["a", "b"], ["a", "c"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
        ("ForAllValues:StringNotEquals", "a", ["b", "c"], True),
    ],
)
def test_operators(operator: str, wanted: Any, actual: Any, expected: bool) -> None:
    assert evaluate_conditions({operator: {"aws:Key": wanted}}, context_of({"AWS:key": actual})) is expected


@given(wanted=VALUES.filter(bool), actual=VALUES)
def test_a_quantified_condition_and_its_negation_are_opposites(wanted: list[str], actual: list[str]) -> None:
    """If not all values are among the wanted ones, then at least one is not, and vice versa."""
    context = context_of({"k": actual})
    assert evaluate_conditions({"ForAllValues:StringEquals": {"k": wanted}}, context) != evaluate_conditions(
        {"ForAnyValue:StringNotEquals": {"k": wanted}}, context
    )


def test_every_condition_of_every_operator_must_hold() -> None:
    conditions = {"StringEquals": {"a": "1", "b": "2"}, "Null": {"c": "true"}}
    assert evaluate_conditions(conditions, context_of({"a": "1", "b": "2"}))
    assert not evaluate_conditions(conditions, context_of({"a": "1", "b": "3"}))
    assert not evaluate_conditions(conditions, context_of({"a": "1", "b": "2", "c": "4"}))


def test_variables_have_the_value_of_their_key_and_match_nothing_without_one() -> None:
    conditions = {"ArnLike": {"owner": "arn:aws:x:::user/${aws:PrincipalTag/name}"}}
    owner = {"owner": "arn:aws:x:::user/u"}
    assert evaluate_conditions(conditions, context_of({**owner, "aws:principaltag/name": "u"}))
    assert not evaluate_conditions(conditions, context_of({**owner, "aws:principaltag/name": "v"}))
    assert not evaluate_conditions(conditions, context_of(owner))


def test_an_unknown_operator_is_rejected() -> None:
    with pytest.raises(NotImplementedError, match="IpAddress"):
        evaluate_conditions(
            {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, context_of({"aws:SourceIp": "10.0.0.1"})
        )


def test_patterns_take_everything_but_their_wildcards_as_it_is() -> None:
    assert matches("a.[b]*", "a.[b]/c\n")
    assert not matches("a.b", "axb")
