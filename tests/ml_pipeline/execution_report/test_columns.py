"""Columns of data sets: read within limits, and described with those of the previous run."""

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from ml_pipeline.execution_report import samples
from ml_pipeline.execution_report.columns import BINS, FREQUENT, describe_columns
from ml_pipeline.execution_report.data_sets import read_data_sets
from ml_pipeline.execution_report.model import Column, Frequency
from ml_pipeline.execution_report.rejected_rows import read_rejected
from ml_pipeline.execution_report.samples import read_sample
from ml_pipeline.executions.job_report import Output, Report


class Bucket:
    """An S3 client with some objects, which counts the bytes read."""

    def __init__(self, **objects: bytes):
        self.objects = {name.replace("__", "/"): content for name, content in objects.items()}
        self.read = 0

    def get_paginator(self, name: str) -> "Bucket":
        assert name == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803 - boto3's
        if Prefix.startswith("secret"):
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListObjectsV2")
        listed = sorted(name for name in self.objects if name.startswith(Prefix))
        return [{"Contents": [{"Key": name, "Size": len(self.objects[name])} for name in listed]}]

    def get_object(self, Bucket: str, Key: str, Range: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        content = self.objects[Key][first : last + 1]
        self.read += len(content)
        return {"Body": io.BytesIO(content)}


def parquet(rows_in_a_group: int = 1000, **columns: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, row_group_size=rows_in_a_group, use_dictionary=False)
    return file.getvalue()


def described(now: list[Any], before: list[Any] | None = None, type_: pa.DataType | None = None) -> Column:
    """Describe one column."""
    table = pa.table({"c": pa.array(now, type_)})
    previous = None if before is None else pa.table({"c": pa.array(before, type_)})
    (column,) = describe_columns(table, previous)
    return column


def test_two_runs_share_the_edges_of_their_bins() -> None:
    column = described([0.5, 1.25, 9.0], [-1.0, 0.0, 19.0])

    assert (column.histogram.low, column.histogram.high) == ("-1", "19")
    assert len(column.histogram.counts) == len(column.histogram.previous) == BINS
    assert column.histogram.counts[1] == 1
    assert column.histogram.previous[0] == column.histogram.previous[-1] == 1
    assert (column.figures.minimum, column.figures.mean, column.figures.maximum) == ("0.5", "3.583", "9")
    assert column.previous.minimum == "-1"


def test_few_whole_numbers_have_a_bin_each() -> None:
    assert described([1, 2, 2, 4]).histogram.counts == (1, 2, 0, 1)


@pytest.mark.parametrize("value", [7, 2.5, Decimal("3.20"), dt.date(2026, 1, 1), float("1e300")])
def test_a_column_of_one_value_has_one_bin(value: Any) -> None:
    assert described([value, value]).histogram.counts == (2,)


def test_dates_and_times_are_shown_as_such() -> None:
    column = described([dt.date(2026, 1, 1), dt.date(2026, 3, 1)])
    times = described([dt.datetime(2026, 1, 1, 12, 30), dt.datetime(2026, 1, 2)])

    assert (column.histogram.low, column.histogram.high) == ("2026-01-01", "2026-03-01")
    assert (times.figures.minimum, times.figures.maximum) == ("2026-01-01 12:30", "2026-01-02")


def test_words_are_counted_as_shares_of_non_null_values() -> None:
    column = described(["M", "F", "M", None], ["M", "I"])

    assert column.figures.null_share == 0.25
    assert column.frequencies == (
        Frequency("M", pytest.approx(2 / 3), 0.5),
        Frequency("F", pytest.approx(1 / 3), 0.0),
    )


def test_of_many_words_the_most_frequent_are_shown_and_long_ones_cut() -> None:
    column = described([f"{number:03}" * 30 for number in range(50)])

    assert len(column.frequencies) == FREQUENT
    assert column.frequencies[0].value.endswith("…")
    assert described([True, False, True]).frequencies[0] == Frequency("true", pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([], pa.float64()),
        ([], pa.string()),
        ([None, None], pa.int64()),
        ([None], pa.null()),
        ([float("nan"), float("inf")], pa.float64()),
        ([[1, 2]], pa.list_(pa.int64())),
        ([b"\xff\xfe"], pa.binary()),
        ([{"a": 1}], pa.struct({"a": pa.int64()})),
    ],
)
def test_a_column_without_values_to_compare_has_no_picture(values: list[Any], type_: pa.DataType) -> None:
    column = described(values, type_=type_)

    assert column.histogram is None
    assert column.frequencies == ()


def test_a_column_of_another_type_or_name_is_not_compared() -> None:
    now = pa.table({"a": [1, 2], "b": [1, 2]})

    one, other = describe_columns(now, pa.table({"a": ["x"]}))

    assert (one.previous, one.histogram.previous) == (None, None)
    assert other.previous is None


def test_a_sample_takes_few_rows_of_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MOST_ROWS", 100)
    monkeypatch.setattr(samples, "MOST_FILES", 4)
    files = {f"out__part-{number:02}": parquet(n=[number] * 50) for number in range(12)}

    sample = read_sample(Bucket(**files, out___SUCCESS=b"", out__d__part=parquet(n=[99])), "s3a://b/out")

    assert sample.table.num_rows == 26 + 50  # 25 rows of each of three files, and one file has one row
    assert set(sample.table["n"].to_pylist()) == {99, 2, 5, 8}


def test_of_a_large_file_only_its_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if one row group contains all of it, as in files from Spark."""
    monkeypatch.setattr(samples, "MOST_ROWS", 500)
    monkeypatch.setattr(samples, "_READ_BYTES", 10_000)
    content = parquet(rows_in_a_group=200_000, n=[number * 7919 % 1_000_003 for number in range(200_000)])
    bucket = Bucket(out__part=content)

    sample = read_sample(bucket, "s3://b/out")

    assert sample.table.num_rows == 500
    assert bucket.read < len(content) / 4


def test_more_columns_than_fit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MOST_COLUMNS", 2)

    sample = read_sample(Bucket(out__part=parquet(a=[1], b=[2], c=[3])), "s3://b/out")

    assert (sample.table.schema.names, sample.columns_left_out) == (["a", "b"], 1)


def test_files_without_rows_still_have_columns() -> None:
    sample = read_sample(Bucket(out__part=parquet(a=pa.array([], pa.int64()))), "s3://b/out")

    assert sample.table.schema.names == ["a"]
    assert read_sample(Bucket(), "s3://b/out") is None


def report(**folders: str) -> Report:
    outputs = {
        name: Output(folder=f"s3://b/{folder}", rows=3, files=1, format="csv" if name == "csv" else "parquet")
        for name, folder in folders.items()
    }
    return Report(version=2, application_id="app", outputs=outputs)


def test_data_sets_are_compared_by_their_names() -> None:
    bucket = Bucket(new__part=parquet(n=[1, 2, 3]), old__part=parquet(n=[2, 3, 4]))

    (data_set,), missing = read_data_sets(bucket, report(fares="new"), report(fares="old"))

    assert (data_set.name, data_set.rows, data_set.sampled_rows, data_set.has_previous) == (
        "fares",
        3,
        3,
        True,
    )
    assert data_set.columns[0].histogram.counts == (1, 1, 1, 0)
    assert data_set.columns[0].histogram.previous == (0, 1, 1, 1)
    assert missing == ()


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (report(fares="new"), None, ()),
        (
            report(fares="new"),
            report(),
            ("The columns of fares are not compared: the previous run has no such output.",),
        ),
        (
            report(fares="new"),
            report(fares="new"),
            ("The columns of fares are not compared: the result of the previous run was reused.",),
        ),
        (
            report(fares="new"),
            report(fares="gone"),
            ("The columns of fares are not compared: the previous run's files were deleted.",),
        ),
        (
            report(fares="gone"),
            None,
            ("The columns of fares are not shown: s3://b/gone contains no files.",),
        ),
        (report(fares="secret"), None, ("The columns of fares cannot be read: AccessDenied.",)),
        (report(csv="new"), None, ("Columns are not shown: the job reports no Parquet outputs.",)),
        (report(), None, ()),
    ],
)
def test_what_cannot_be_shown_is_stated(
    now: Report, before: Report | None, expected: tuple[str, ...]
) -> None:
    assert read_data_sets(Bucket(new__part=parquet(n=[1])), now, before)[1] == expected


def test_what_is_not_parquet_is_stated() -> None:
    _, (missing,) = read_data_sets(Bucket(new__part=b"no Parquet at all"), report(fares="new"), None)

    assert missing.startswith("The columns of fares cannot be read: Parquet magic bytes not found")


def test_rejected_rows_are_read_of_the_documented_output_alone() -> None:
    lines = b'{"file": "a.csv", "line": "x", "reason": "short"}\n' * 3
    bucket = Bucket(rejected__part=lines, rejected___SUCCESS=b"")
    written = {"rejected": Output(folder="s3://b/rejected", rows=3, files=1, format="json")}

    rejected = read_rejected(bucket, Report(version=2, application_id="app", outputs=written))

    assert rejected.files[0].reasons == {"short": 3}
    assert read_rejected(bucket, report(rejected="rejected")) is None


def test_of_many_rejected_rows_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_pipeline.execution_report.rejected_rows.MOST_BYTES", 130)
    row = b'{"file": "a.csv", "line": "x", "reason": "short"}\n'
    bucket = Bucket(rejected__part=row * 1000)
    written = {"rejected": Output(folder="s3://b/rejected", rows=1000, files=1, format="json")}

    rejected = read_rejected(bucket, Report(version=2, application_id="app", outputs=written))

    assert (rejected.read, rejected.total) == (2, 1000)
    assert bucket.read == 130
