"""The filters of DataProcessing, with the examples of the developer guide."""

import pytest

from helpers.local_aws.transform.filters import FilterError, parse_filter

COLUMNS = ["a", "b", "c", "d", "e", "f", "g"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$", "abcdefg"),
        ("$[0]", "a"),
        ("$[0,-1]", "ag"),
        ("$[0, 2]", "ac"),
        ("$[1:]", "bcdefg"),
        ("$[1:4]", "bcde"),  # the second to the fifth: the end is included
        ("$[:5]", "abcdef"),
        ("$[-2:]", "fg"),
        ("$[:-2]", "abcdef"),
    ],
)
def test_columns_are_selected(text: str, expected: str) -> None:
    assert parse_filter(text)(COLUMNS) == list(expected)


@pytest.mark.parametrize("text", ["", "$.features", "$[a]", "[0]", "$['a']", "$[0][1]"])
def test_other_expressions_are_rejected(text: str) -> None:
    with pytest.raises(FilterError, match=r"the filter .*; it supports"):
        parse_filter(text)


def test_a_column_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FilterError, match=r"\$\[7\] names a column of a record that has 7"):
        parse_filter("$[7]")(COLUMNS)
