import io
import logging
from datetime import datetime

import pytest
from data_utils import Unbuffered, spark_read_parquet
from etl.failures import SPARK_ERRORS, spark_failure, with_fix
from etl.frames import BYTES_PER_FILE, output_files, repartition_for_output
from etl.names import overlap
from hypothesis import given
from hypothesis import strategies as st

LOG = logging.getLogger("test")


@pytest.mark.parametrize(
    ("message", "setting"),
    [
        ("java.lang.OutOfMemoryError: GC overhead limit exceeded", "spark.executor.memory in"),
        (
            "ExecutorLostFailure (executor 1 exited) Reason: Command exited with code 52",
            "spark.executor.memory in",
        ),
        (
            "Container killed by YARN for exceeding physical memory limits. Consider boosting "
            "spark.executor.memoryOverhead",
            "raise spark.executor.memoryOverhead",
        ),
        ("Container from a bad node. Exit status: 143.", "raise spark.executor.memoryOverhead"),
        (
            "Required executor memory (2048 MB) is above the max threshold (1800 MB) of this cluster!",
            "the sizes of make size",
        ),
        ("java.io.IOException: No space left on device", "pyspark_process_volume_size_gb"),
        ("AmazonS3Exception: Please reduce your request rate. (Status Code: 503)", "fs.s3a.attempts.maximum"),
        ("java.net.SocketTimeoutException: Read timed out", "fs.s3a.connection.timeout"),
        ("results of 12 tasks (4 GiB) is bigger than spark.driver.maxResultSize (1 GiB)", "or collect less"),
        ("SparkException: Job 2 cancelled because SparkContext was shut down", "raise spark.driver.memory"),
    ],
)
def test_a_failure_is_reported_with_the_setting_to_change(message: str, setting: str) -> None:
    assert setting in with_fix(message)
    assert with_fix(message).endswith(f"({message})")


def test_an_unknown_failure_is_reported_unchanged() -> None:
    assert with_fix("java.lang.IllegalStateException: 52") == "java.lang.IllegalStateException: 52"


@given(st.integers(0, 10**15))
def test_no_file_gets_more_than_its_share_and_no_fewer_files_would_do(size: int) -> None:
    files = output_files(size)

    assert files >= 1
    assert files * BYTES_PER_FILE >= size
    assert files == 1 or (files - 1) * BYTES_PER_FILE < size


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("s3a://b/in", "s3://b/in/out", True),
        ("s3a://b/in/x.csv", "s3a://b/in", True),
        ("s3a://b/*", "s3a://b/out", True),
        ("s3a://b/in", "s3a://b/out", False),
        ("s3a://a/in", "s3a://b/in", False),
        ("file:///tmp/in", "/tmp/in/out", True),
    ],
)
def test_a_job_does_not_read_what_it_writes(source: str, target: str, expected: bool) -> None:
    assert overlap(source, target) is expected


def test_unbuffered_flushes_after_every_write() -> None:
    class Stream(io.StringIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1

    stream = Stream()
    unbuffered = Unbuffered(stream)

    unbuffered.write("a")
    unbuffered.writelines(["b", "c"])

    assert stream.getvalue() == "abc"
    assert stream.flushed == 2
    assert unbuffered.readable() is True, "whatever else a stream can do is the stream's"


def test_rows_are_spread_over_as_many_partitions_and_never_on_fewer_than_the_cores(spark) -> None:
    frame = spark.range(10, numPartitions=3)

    assert [repartition_for_output(frame, files).rdd.getNumPartitions() for files in (1, 3, 5)] == [2, 3, 5]


@pytest.fixture
def table(spark, tmp_path) -> str:
    path = str(tmp_path / "table")
    rows = [(1, "2026-11-01"), (2, "2026-11-02")]
    spark.createDataFrame(rows, "id int, day string").write.partitionBy("day").parquet(path)
    return path


def test_a_partition_becomes_a_column(spark, table) -> None:
    frame = spark_read_parquet(
        spark, f"{table}/day=2026-11-02", LOG, add_partition_to_cols=True, partition_col="day"
    )

    assert [tuple(row) for row in frame.select("id", "day").collect()] == [(2, "2026-11-02")]


def test_a_date_partition_becomes_a_timestamp(spark, table) -> None:
    frame = spark_read_parquet(
        spark,
        table,
        LOG,
        add_partition_to_cols=True,
        partition_col="day",
        date_partition=True,
        date_format="yyyy-MM-dd",
    )

    assert sorted(row.day for row in frame.collect()) == [datetime(2026, 11, 1), datetime(2026, 11, 2)]


def test_a_partition_without_a_value_is_null_and_still_a_text(spark, tmp_path) -> None:
    spark.sql("SELECT 1 AS id").write.parquet(str(tmp_path / "in" / "day=__HIVE_DEFAULT_PARTITION__"))

    frame = spark_read_parquet(
        spark, str(tmp_path / "in"), LOG, add_partition_to_cols=True, partition_col="day"
    )

    assert dict(frame.dtypes)["day"] == "string", "a column of no type cannot be written"
    assert [tuple(row) for row in frame.select("id", "day").collect()] == [(1, None)]


def test_a_partition_that_is_no_date_fails_the_read_and_is_named(spark, tmp_path) -> None:
    for day in ("2026-11-01", "20261102", "__HIVE_DEFAULT_PARTITION__"):
        spark.sql("SELECT 1 AS id").write.parquet(str(tmp_path / "in" / f"day={day}"))

    def days(path: str) -> set[object]:
        frame = spark_read_parquet(
            spark,
            path,
            LOG,
            add_partition_to_cols=True,
            partition_col="day",
            date_partition=True,
            date_format="yyyy-MM-dd",
        )
        return {row.day for row in frame.collect()}

    assert days(f"{tmp_path}/in/day=2026-11-01") == {datetime(2026, 11, 1)}
    assert days(f"{tmp_path}/in/day=__HIVE_DEFAULT_PARTITION__") == {None}
    with pytest.raises(
        SPARK_ERRORS, match="the partition day=20261102 is not a date of the format yyyy-MM-dd"
    ):
        days(str(tmp_path / "in"))


def test_files_with_different_types_are_reported_with_their_columns(spark, tmp_path) -> None:
    for kind in ("int", "bigint"):
        spark.sql(f"SELECT CAST(1 AS {kind}) AS id").write.parquet(str(tmp_path / "in" / kind))

    with pytest.raises(SPARK_ERRORS) as failed:
        spark_read_parquet(spark, f"{tmp_path}/in/*", LOG)

    output = spark_failure(failed.value)
    assert "a column has different types in different files of the input" in output
    assert "STRUCT<id: INT>" in output
    assert "STRUCT<id: BIGINT>" in output


def test_a_schema_adds_columns_that_a_file_lacks(spark, table) -> None:
    frame = spark_read_parquet(spark, f"{table}/day=2026-11-01", LOG, schema="id int, more string")

    assert [tuple(row) for row in frame.select("id", "more").collect()] == [(1, None)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"add_partition_to_cols": True}, "needs partition_col"),
        ({"date_partition": True}, "needs add_partition_to_cols"),
        ({"add_partition_to_cols": True, "partition_col": "month"}, "has no partition month="),
    ],
)
def test_arguments_that_do_not_go_together_are_rejected(spark, table, arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        spark_read_parquet(spark, table, LOG, **arguments)
