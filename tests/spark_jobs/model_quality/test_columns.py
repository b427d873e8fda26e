"""The columns of a model: encoding, decoding, and columns.json."""

import json

import polars as pl
import pytest
from etl.errors import JobError
from model_quality.columns import BINARY, Column, Columns, difference, read_columns

COLUMNS = Columns(
    BINARY,
    Column("paid", ("no", "yes")),
    (Column("kind", ("a", "b", "c")), Column("size"), Column("months", integral=True)),
)


def test_features_become_numbers_and_values_again() -> None:
    rows = pl.DataFrame(
        {"kind": ["c", "a", None, "b"], "size": [1.5, None, 0.0, 2.0], "months": [3, 2, 1, None]}
    )

    encoded = rows.select(COLUMNS.encode())

    assert encoded.columns == list(COLUMNS.encoded) == ["kind=a", "kind=b", "kind=c", "size", "months"]
    assert encoded.rows() == [
        (0.0, 0.0, 1.0, 1.5, 3.0),
        (1.0, 0.0, 0.0, None, 2.0),
        (None, None, None, 0.0, 1.0),
        (0.0, 1.0, 0.0, 2.0, None),
    ]
    assert encoded.select(COLUMNS.decode()).rows() == rows.rows()


def test_the_second_of_two_classes_is_1() -> None:
    rows = pl.DataFrame({"paid": ["yes", "no"]})

    assert rows.select(COLUMNS.encode_label()).to_series().to_list() == [1.0, 0.0]


def test_columns_json_keeps_them() -> None:
    text = COLUMNS.as_json()

    assert read_columns(text, "columns.json") == COLUMNS
    assert json.loads(text)["encoded"] == list(COLUMNS.encoded)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no s3://b/columns.json"),
        ("{}", r"s3://b/columns\.json is not a columns\.json \(KeyError: 'version'\): train the model again"),
        ('{"version": 2}', "s3://b/columns.json: version: expected 1, found 2: train again"),
    ],
)
def test_another_file_is_named(text, message) -> None:
    with pytest.raises(JobError, match=message):
        read_columns(text, "s3://b/columns.json")


@pytest.mark.parametrize(
    ("features", "found"),
    [
        (COLUMNS.features, None),
        (COLUMNS.features[:2], "months is now nothing"),
        ((*COLUMNS.features, Column("more")), "nothing is now more"),
        ((Column("kind", ("a", "c")), *COLUMNS.features[1:]), "kind of a, b, c is now kind of a, c"),
    ],
)
def test_a_difference_of_features_is_reported_by_the_first(features, found) -> None:
    assert difference(COLUMNS, Columns(BINARY, COLUMNS.label, features)) == found
