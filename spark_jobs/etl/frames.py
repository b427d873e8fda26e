"""Helpers for Spark data frames: persistence, the number of output files, and temporary settings."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession

BYTES_PER_FILE = 128 * 1024**2
"""Input bytes per output file. Fewer and larger files are faster to list and to read."""


@contextmanager
def persisted(frame: DataFrame) -> Iterator[DataFrame]:
    """Persist a data frame for the duration of a block, in memory and on local disk."""
    frame.persist()
    try:
        yield frame
    finally:
        frame.unpersist()


def output_files(input_bytes: int, bytes_per_file: int = BYTES_PER_FILE) -> int:
    """Return the number of output files for an input size: one per `bytes_per_file`, rounded up.

    >>> output_files(0), output_files(BYTES_PER_FILE), output_files(BYTES_PER_FILE + 1)
    (1, 1, 2)
    """
    return max(1, -(-input_bytes // bytes_per_file))


def repartition_for_output(frame: DataFrame, files: int) -> DataFrame:
    """Return the data frame with the given number of partitions, or more if cores would be idle.

    Rows are shuffled only to increase the number of partitions.
    """
    partitions = frame.rdd.getNumPartitions()
    if files > partitions:
        return frame.repartition(files)
    cores = frame.sparkSession.sparkContext.defaultParallelism
    return frame.coalesce(max(files, cores)) if max(files, cores) < partitions else frame


@contextmanager
def local_setting(spark: SparkSession, key: str, value: str) -> Iterator[None]:
    """Change a setting of the Spark session for the duration of a block."""
    before = spark.conf.get(key)
    spark.conf.set(key, value)
    try:
        yield
    finally:
        spark.conf.set(key, str(before))
