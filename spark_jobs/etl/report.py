"""Creates the report of a run; see docs/job-report.md."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

from pyspark.sql import functions as F  # noqa: N812 - the usual name in PySpark code

from etl.errors import JobError
from etl.names import is_data_file
from etl.storage import Storage, s3_settings, storage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import SparkSession

    from etl.executors import Executors

REPORT_VERSION = 2
"""The version of the format of `job_report`."""

Value = Union[bool, int, float, str]
"""The type of compared values."""


class Output(NamedTuple):
    """A data set that a run wrote."""

    folder: str
    rows: int
    files: int
    format: str
    """The suffix of its files: parquet, csv, json, orc or txt."""


class Check(NamedTuple):
    """Two values that are equal if the job worked as intended."""

    name: str
    expected: Value
    actual: Value


def written_output(
    spark: SparkSession, folder: str, rows: int, file_format: str, required: Sequence[str] = ()
) -> Output:
    """Return an output with the number of its data files.

    Args:
        spark: the Spark session.
        folder: the folder of the output.
        rows: the number of rows.
        file_format: parquet, csv, json, orc or txt.
        required: columns of a Parquet output that must not contain NULL.

    Raises:
        JobError: a required column contains NULL.
    """
    if required:
        _reject_nulls(spark, folder, required)
    files = storage(folder, s3_settings(spark))
    return Output(folder, rows, len(data_files(files, folder)), file_format)


def data_files(files: Storage, folder: str) -> dict[str, int]:
    """Return the size in bytes of each data file in a folder, by its path in the folder."""
    inside = len(folder.rstrip("/")) + 1
    found = ((file.uri[inside:], file.size) for file in files.files(folder))
    return {name: size for name, size in found if is_data_file(name)}


def _reject_nulls(spark: SparkSession, folder: str, columns: Sequence[str]) -> None:
    # Spark skips row groups without NULLs, because Parquet footers contain the number of NULLs.
    is_null = {column: F.col(column).isNull() for column in columns}
    rows = spark.read.parquet(folder).where(reduce(or_, is_null.values()))
    counts = rows.agg(*(F.count_if(null).alias(column) for column, null in is_null.items())).first()
    if counts and any(counts):
        found = ", ".join(f"{column} ({count:,} rows)" for column, count in counts.asDict().items() if count)
        raise JobError(f"{folder} holds NULL in required columns: {found}; the job dropped values on the way")


def job_report(
    application_id: str,
    outputs: Mapping[str, Output],
    *,
    rows_in: Optional[int] = None,
    rows_rejected: Optional[int] = None,
    checks: Sequence[Check] = (),
    seconds: Optional[Mapping[str, float]] = None,
    executors: Optional[Executors] = None,
) -> dict[str, Any]:
    """Return the report of a run.

    Args:
        application_id: the ID of the Spark application.
        outputs: the data sets that the run wrote, by name.
        rows_in: the number of rows read, if the job has one such number.
        rows_rejected: the number of rejected rows, if the job counts them.
        checks: the checks of the job.
        seconds: durations in seconds, by phase of the job.
        executors: the result of `count_executors`.
    """
    counts = {"rows_in": rows_in, "rows_rejected": rows_rejected}
    return {
        "version": REPORT_VERSION,
        "application_id": application_id,
        **{key: count for key, count in counts.items() if count is not None},
        "outputs": {name: output._asdict() for name, output in outputs.items()},
        "checks": [check._asdict() for check in checks],
        "seconds": dict(seconds or {}),
        **({"executors": executors._asdict()} if executors else {}),
    }
