"""Reads partitioned Parquet data. Other common code of jobs is in the package `etl`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.frames import local_setting
from etl.log import Unbuffered
from pyspark.sql import functions as F  # noqa: N812 - the usual name in PySpark code

if TYPE_CHECKING:
    import logging

    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql.types import StructType

__all__ = ["Unbuffered", "spark_read_parquet"]


def spark_read_parquet(  # noqa: PLR0913, PLR0917 - a public signature
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
    """Read Parquet data, optionally with a partition of its path (`…/day=2026-11-24/…`) as a column.

    Args:
        spark: the Spark session.
        path: a table, one partition of a table, or a glob pattern.
        logger: logs the path and the columns.
        merge_schema: whether to merge the schemas of all files.
        header: ignored. It allows the same call for CSV and Parquet.
        add_partition_to_cols: whether to add `partition_col` as a column, even if `path` is one partition.
        partition_col: the name of the partition column. Its values are strings, so that `01` is not 1.
        schema: the schema to read. Columns that a file lacks are NULL.
        date_partition: whether to convert the values of the partition column from dates to timestamps.
        date_format: the format of these dates, such as `yyyy-MM-dd`.

    Raises:
        ValueError: arguments are missing, or the path has no such partition. Invalid dates raise an error
            of Spark when their rows are read.
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
        if found:  # Spark needs `basePath` to find partitions above the path
            reader = reader.option("basePath", table)
        with local_setting(spark, "spark.sql.sources.partitionColumnTypeInference.enabled", "false"):
            frame = reader.parquet(path)
        if partition_col not in frame.columns:
            raise ValueError(f"{path} has no partition {partition_col}=…; its columns are {frame.columns}")
        # If NULL is the only value, the type of the column is void, which cannot be written.
        value = F.col(partition_col).cast("string")
        if date_partition and date_format:
            value = _date_of(value, partition_col, date_format)
        frame = frame.withColumn(partition_col, value)
    logger.info("read %s with the columns %s", path, ", ".join(frame.columns))
    return frame


def _date_of(value: Column, name: str, date_format: str) -> Column:
    """Return a string as a timestamp, or raise an error. Spark would return NULL for an invalid date."""
    date = F.to_timestamp(value, date_format)
    problem = F.concat(
        F.lit(f"the partition {name}="), value, F.lit(f" is not a date of the format {date_format}")
    )
    return F.when(value.isNull() | date.isNotNull(), date).otherwise(F.raise_error(problem).cast("timestamp"))
