"""What any Spark job of this project can use: its log, files and timings, reading Parquet, sizing the output.

Handed to spark-submit with `--py-files`, so a job says `from data_utils import …`. Needs pyspark and nothing
else. Files are reached through Hadoop's FileSystem, for s3a://, s3://, hdfs:// and local paths alike.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name that the Spark world gives it

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

BYTES_PER_FILE = 128 * 1024**2
"""Input bytes that go into one output file: few enough files to list, large enough ones to read well."""

DAYS_KEPT = 10
"""Longer than any processing job may run (9 days), so what is older is neither written nor read."""
RUN_TIME = "%Y%m%dT%H%M%SZ"

REMEDIES = (
    (
        r"OutOfMemoryError|[Ee]xit(ed with)? ?(code|status):? 52\b",
        "memory ran out: raise spark.executor.memory in configuration.json (spark.driver.memory on one "
        "instance), or lower spark.executor.cores",
    ),
    (
        r"memoryOverhead|beyond the '?(PHYSICAL|VIRTUAL)|[Ee]xit(ed with)? ?(code|status):? (137|143)\b",
        "an executor was killed, as for want of memory outside of its heap: raise "
        "spark.executor.memoryOverhead in configuration.json",
    ),
    (
        r"No space left on device|Disk quota exceeded|File too large",
        "the disk for shuffle and spill is full: raise pyspark_process_volume_size_gb, or "
        "pyspark_process_instance_count to spread the data",
    ),
    (
        r"SlowDown|reduce your request rate|Status Code: 503",
        "S3 throttles: raise spark.hadoop.fs.s3a.attempts.maximum and fs.s3a.retry.limit, or run with fewer "
        "cores at once",
    ),
    (
        r"timed? ?out|SocketTimeoutException|ConnectTimeoutException",
        "S3 or another node answers too slowly: raise spark.hadoop.fs.s3a.connection.timeout and "
        "spark.network.timeout in configuration.json",
    ),
    (
        r"SparkContext was shut down",
        "Spark ended in the middle of the job, most often for want of memory: raise spark.driver.memory, or "
        "spark.executor.memory, in configuration.json",
    ),
)
"""What Spark says when it lacks something, and what to change. The first that fits counts."""


class JobError(Exception):
    """Something that the person who started the job can mend. The message is one line and says what it is."""


class Unbuffered:
    """A text stream that flushes after every write, so that the job's log is seen while the job runs."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, data: str) -> int:
        """Write the text and flush."""
        written: int = self.stream.write(data)
        self.stream.flush()
        return written

    def writelines(self, data: Iterable[str]) -> None:
        """Write the lines and flush."""
        self.stream.writelines(data)
        self.stream.flush()

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.stream, attribute)


def stdout_logger(name: str) -> logging.Logger:
    """Return a logger whose lines go to today's `sys.stdout` at once; Spark's own log is on stderr."""
    handler = logging.StreamHandler(Unbuffered(sys.stdout))
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger(name)
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


@contextmanager
def timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    """Note in `seconds`, under the name of the phase, how long the block took."""
    start = time.monotonic()
    yield
    seconds[phase] = round(time.monotonic() - start, 3)


# --- files ---


def _file_system(spark: SparkSession, uri: str) -> tuple[Any, Any]:
    """Return Hadoop's FileSystem and Path for a URI, as objects of the JVM."""
    jvm: Any = spark._jvm  # PySpark has no public way to Hadoop's file systems
    path = jvm.org.apache.hadoop.fs.Path(uri)
    configuration = spark._jsc.hadoopConfiguration()
    return path.getFileSystem(configuration), path


def input_size(spark: SparkSession, uri: str) -> int:
    """Return the bytes under a file, a folder or a glob pattern.

    Raises:
        JobError: nothing is there.
    """
    file_system, path = _file_system(spark, uri)
    found = file_system.globStatus(path)
    if not found:
        raise JobError(f"there is no input at {uri}")
    return sum(int(file_system.getContentSummary(status.getPath()).getLength()) for status in found)


def file_sizes(spark: SparkSession, folder: str) -> list[int]:
    """Return the bytes of each data file that Spark has written into a folder."""
    file_system, path = _file_system(spark, f"{folder}/part-*")
    return [int(status.getLen()) for status in file_system.globStatus(path)]


def names_in(spark: SparkSession, folder: str) -> list[str]:
    """Return the names of what lies in a folder."""
    file_system, path = _file_system(spark, folder)
    return [str(status.getPath().getName()) for status in file_system.listStatus(path)]


def delete(spark: SparkSession, uri: str) -> None:
    """Remove a file or a folder with what it holds; nothing there is fine."""
    file_system, path = _file_system(spark, uri)
    file_system.delete(path, True)


def read_text(spark: SparkSession, uri: str) -> str:
    """Return the text of a small file, empty if there is none."""
    file_system, path = _file_system(spark, uri)
    if not file_system.exists(path):
        return ""
    stream = file_system.open(path)
    try:
        jvm: Any = spark._jvm
        return str(jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
    finally:
        stream.close()


def publish(spark: SparkSession, uri: str, text: str) -> None:
    """Write a small file at once: a reader sees what was there before, or the whole of this.

    An object of S3 appears when it is closed. A local file takes the place of the other; HDFS knows no such
    thing and is no place for what outlives a job.
    """
    file_system, path = _file_system(spark, uri)
    if str(file_system.getUri().getScheme()) == "file":
        target = Path(str(path.toUri().getPath()))
        beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
        return
    stream = file_system.create(path, True)
    stream.write(bytearray(text, "utf-8"))
    stream.close()  # not after a failure: it would publish what was written until then


def new_run() -> str:
    """Return a name for the folder of a run, which tells when the run began and is of no other run."""
    return f"{datetime.now(timezone.utc).strftime(RUN_TIME)}-{uuid.uuid4().hex[:8]}"


def outdated_runs(runs: Iterable[str], newest: str, report: str) -> list[str]:
    """Return the runs that nobody writes or reads any more: begun `DAYS_KEPT` before the newest.

    Younger ones stay: a reader may have been led to one, another job may be writing one. What is no run's
    folder is not ours.

    Args:
        runs: names of folders.
        newest: the run that has just been published.
        report: text of the report before it; the run that it names stays as well.

    >>> outdated_runs(["20260101T000000Z-a", "20260102T000000Z-b", "c"], "20260120T000000Z-d", "…Z-d/csv")
    ['20260101T000000Z-a', '20260102T000000Z-b']
    """

    def begun(run: str) -> datetime:
        return datetime.strptime(run.partition("-")[0], RUN_TIME)

    limit = begun(newest) - timedelta(days=DAYS_KEPT)
    known = sorted(run for run in runs if re.match(r"\d{8}T\d{6}Z-", run))
    return [run for run in known if begun(run) < limit and run not in report]


# --- failures ---


def spark_failure(error: Exception) -> str:
    """Return what Spark failed of, and what to change where that is known, in one line."""
    if isinstance(error, Py4JJavaError):
        said = root_cause(error)
        return f"Spark failed: {with_remedy(said, str(error.java_exception.toString()))}"
    return (
        "Spark's driver has ended, most often for want of memory: raise spark.driver.memory in "
        f"configuration.json ({' '.join(str(error).split())})"
    )


def root_cause(error: Py4JJavaError) -> str:
    """Return what Java says at the bottom of a chain of exceptions, in one line and without its stack."""
    java = error.java_exception
    while java.getCause() is not None:
        java = java.getCause()
    said = str(java.toString()).partition("Driver stacktrace:")[0]
    return " ".join(re.sub(r"\n\s+at .*", "", said).split())


def with_remedy(said: str, more: str = "") -> str:
    """Return what was said, led by what to change about it.

    Args:
        said: the message.
        more: where else the cause may stand.
    """
    for pattern, remedy in REMEDIES:
        if re.search(pattern, said) or re.search(pattern, more):
            return f"{remedy} ({said})"
    return said


def stop_spark() -> None:
    """End the session, or a cluster takes the end of the driver for a failure of the application."""
    with suppress(Py4JError, OSError):  # the driver may have ended before us
        if session := SparkSession.getActiveSession():
            session.stop()


# --- locations ---


def overlap(input_uri: str, output_uri: str) -> bool:
    """Say whether a job would read what it writes: one lies in the other, or they are the same.

    >>> overlap("s3a://data/in", "s3://data/in/out"), overlap("s3a://data/*.csv", "s3a://data/out")
    (True, False)
    """
    source, target = _location(re.sub(r"\{[^}]*\}", "*", input_uri)), _location(output_uri)
    return all(fnmatchcase(target[i], source[i]) for i in range(min(len(source), len(target))))


def _location(uri: str) -> list[str]:
    """Return bucket and path, in parts. s3, s3a and s3n are one store; so are /path and file:///path."""
    scheme, colon, rest = uri.partition(":")
    path = rest if colon and "/" not in scheme else uri
    bucket, *parts = path[2:].split("/") if path.startswith("//") else ["", *path.split("/")]
    return [bucket, *(part for part in parts if part)]


# --- data frames ---


@contextmanager
def persisted(frame: DataFrame) -> Iterator[DataFrame]:
    """Keep the frame's rows in memory, and on local disk where memory ends, for the length of the block."""
    frame.persist()
    try:
        yield frame
    finally:
        frame.unpersist()


def output_files(input_bytes: int, bytes_per_file: int = BYTES_PER_FILE) -> int:
    """Return how many files the output of this much input deserves: one for each full or begun share.

    >>> output_files(0), output_files(BYTES_PER_FILE), output_files(BYTES_PER_FILE + 1)
    (1, 1, 2)
    """
    return max(1, -(-input_bytes // bytes_per_file))


def spread(frame: DataFrame, files: int) -> DataFrame:
    """Return the frame in as many partitions, or more where cores would have nothing to do.

    Rows move between machines only where there are too few partitions.
    """
    partitions = frame.rdd.getNumPartitions()
    if files > partitions:
        return frame.repartition(files)
    cores = frame.sparkSession.sparkContext.defaultParallelism
    return frame.coalesce(max(files, cores)) if max(files, cores) < partitions else frame


def spark_read_parquet(  # noqa: PLR0913, PLR0917 - the arguments of the seed, which callers know
    spark: SparkSession,
    path: str,
    logger: logging.Logger,
    merge_schema: str | bool = "true",
    header: str | bool = "true",
    add_partition_to_cols: bool = False,
    partition_col: str | None = None,
    schema: StructType | None = None,
    date_partition: bool = False,
    date_format: str | None = None,
) -> DataFrame:
    """Read Parquet data, if asked to with the partition it lies in (`…/day=2026-11-24/…`) as a column.

    Args:
        spark: the session.
        path: a table, one partition of a table, or a glob pattern.
        logger: told what was read.
        merge_schema: whether to unite the schemas of all files.
        header: without meaning for Parquet; taken so that calls for CSV and for Parquet look alike.
        add_partition_to_cols: whether `partition_col` is a column, also where `path` names one partition.
        partition_col: name of the partition column; its values stay text (`01` is not 1).
        schema: what to read; columns that a file lacks are null.
        date_partition: whether the partition's value is a date, which becomes a timestamp.
        date_format: how that date is written, such as `yyyy-MM-dd`.

    Raises:
        ValueError: the arguments do not go together, or the path has no such partition.
    """
    del header
    if add_partition_to_cols and not partition_col:
        raise ValueError("add_partition_to_cols needs partition_col")
    if date_partition and not (add_partition_to_cols and date_format):
        raise ValueError("date_partition needs add_partition_to_cols and date_format")

    reader = spark.read.option("mergeSchema", str(merge_schema).lower())
    if schema is not None:
        reader = reader.schema(schema)
    if not (add_partition_to_cols and partition_col):
        frame = reader.parquet(path)
    else:
        table, found, _ = path.partition(f"/{partition_col}=")
        if found:  # below its table's root Spark looks for partitions only if told where the root is
            reader = reader.option("basePath", table)
        with local_setting(spark, "spark.sql.sources.partitionColumnTypeInference.enabled", "false"):
            frame = reader.parquet(path)
        if partition_col not in frame.columns:
            raise ValueError(f"{path} has no partition {partition_col}=…; its columns are {frame.columns}")
        if date_partition and date_format:
            frame = frame.withColumn(partition_col, F.to_timestamp(F.col(partition_col), date_format))
    logger.info("read %s with the columns %s", path, ", ".join(frame.columns))
    return frame


@contextmanager
def local_setting(spark: SparkSession, key: str, value: str) -> Iterator[None]:
    """Give a setting of the session another value within the block."""
    before = spark.conf.get(key)
    spark.conf.set(key, value)
    try:
        yield
    finally:
        spark.conf.set(key, str(before))
