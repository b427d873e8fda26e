"""Reading partitioned Parquet, and an unbuffered stream; what else jobs share is the package `etl`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.frames import local_setting
from etl.log import Unbuffered
from pyspark.sql import functions as F  # noqa: N812 - the name that the Spark world gives it

if TYPE_CHECKING:
    import logging

    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql.types import StructType

__all__ = ["Unbuffered", "spark_read_parquet"]


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
        logger: logs what was read.
        merge_schema: whether to unite the schemas of all files.
        header: without meaning for Parquet; taken so that calls for CSV and for Parquet look alike.
        add_partition_to_cols: whether `partition_col` is a column, also where `path` names one partition.
        partition_col: name of the partition column; its values stay text (`01` is not 1).
        schema: what to read; columns that a file lacks are null.
        date_partition: whether the partition's value is a date, which becomes a timestamp.
        date_format: how that date is written, such as `yyyy-MM-dd`.

    Raises:
        ValueError: the arguments do not go together, or the path has no such partition. A partition that is
            no date of this format fails the read of its rows.
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
        if found:  # below its table's root Spark looks for partitions only with `basePath`
            reader = reader.option("basePath", table)
        with local_setting(spark, "spark.sql.sources.partitionColumnTypeInference.enabled", "false"):
            frame = reader.parquet(path)
        if partition_col not in frame.columns:
            raise ValueError(f"{path} has no partition {partition_col}=…; its columns are {frame.columns}")
        # Where every partition is the one of NULL, Spark gives the column a type that no file can hold.
        value = F.col(partition_col).cast("string")
        if date_partition and date_format:
            value = _date_of(value, partition_col, date_format)
        frame = frame.withColumn(partition_col, value)
    logger.info("read %s with the columns %s", path, ", ".join(frame.columns))
    return frame


def _date_of(value: Column, name: str, date_format: str) -> Column:
    """Return a text as a timestamp; Spark alone would make NULL of what is not a date."""
    date = F.to_timestamp(value, date_format)
    problem = F.concat(
        F.lit(f"the partition {name}="), value, F.lit(f" is not a date of the format {date_format}")
    )
    return F.when(value.isNull() | date.isNotNull(), date).otherwise(F.raise_error(problem).cast("timestamp"))
