"""Spark data frames: the number of output files, and temporary settings."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession

BYTES_PER_FILE = 128 * 1024**2
"""Input bytes that go into one output file: few enough files to list, large enough ones to read well."""


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


def repartition_for_output(frame: DataFrame, files: int) -> DataFrame:
    """Return the frame in as many partitions, or more where cores would have nothing to do.

    Rows move between machines only where there are too few partitions.
    """
    partitions = frame.rdd.getNumPartitions()
    if files > partitions:
        return frame.repartition(files)
    cores = frame.sparkSession.sparkContext.defaultParallelism
    return frame.coalesce(max(files, cores)) if max(files, cores) < partitions else frame


@contextmanager
def local_setting(spark: SparkSession, key: str, value: str) -> Iterator[None]:
    """Give a setting of the session another value within the block."""
    before = spark.conf.get(key)
    spark.conf.set(key, value)
    try:
        yield
    finally:
        spark.conf.set(key, str(before))
