"""Other ways through the same conversion, all in Spark: the sample's as published, and what was tried.

    spark-submit tests/bench/other_jobs.py NAME INPUT OUTPUT

Each reads Abalone CSV without a header and writes the four columns that count as Parquet and as CSV. They
show what a lever gives; only the job of this project sets malformed rows aside and publishes at once.
"""

import sys
from collections.abc import Callable

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name that the Spark world gives it

Reader = Callable[[SparkSession, str], DataFrame]
Job = Callable[[SparkSession, str, str], None]

MEASURES = (
    "length",
    "diameter",
    "height",
    "whole_weight",
    "shucked_weight",
    "viscera_weight",
    "shell_weight",
)
SCHEMA = ", ".join(["sex string", *(f"{name} double" for name in MEASURES), "rings int"])
KEPT = ("sex", "length", "diameter", "rings")
PLAIN = "^[MFI]" + r",[0-9]+\.?[0-9]*" * len(MEASURES) + ",[0-9]{1,9}$"
GROUPED = r"^[MFI](?:,[0-9]++(?:\.[0-9]++)?+){7}+,[0-9]{1,9}+$"


def sample(spark: SparkSession, source: str, target: str) -> None:
    """The sample's logic: two scans by the CSV reader, ten Parquet files. (Its schema lacked a column.)"""
    frame = spark.read.csv(source, header=False, schema=SCHEMA).select(*KEPT)
    frame.write.mode("overwrite").csv(f"{target}/csv", header=True)
    frame.coalesce(10).write.mode("overwrite").parquet(f"{target}/parquet")


def parquet_first(read: Reader) -> Job:
    """Return a job that writes the CSV from its own Parquet."""

    def job(spark: SparkSession, source: str, target: str) -> None:
        read(spark, source).write.mode("overwrite").parquet(f"{target}/parquet")
        spark.read.parquet(f"{target}/parquet").write.mode("overwrite").csv(f"{target}/csv", header=True)

    return job


def persisted(read: Reader) -> Job:
    """Return a job that keeps the rows for its second output."""

    def job(spark: SparkSession, source: str, target: str) -> None:
        frame = read(spark, source).persist()
        frame.write.mode("overwrite").parquet(f"{target}/parquet")
        frame.write.mode("overwrite").csv(f"{target}/csv", header=True)
        frame.unpersist()

    return job


def csv_reader(spark: SparkSession, source: str) -> DataFrame:
    """Spark's CSV reader, pruned to the four columns: the others go unchecked."""
    return spark.read.csv(source, schema=SCHEMA).select(*KEPT)


def checked_csv_reader(spark: SparkSession, source: str) -> DataFrame:
    """Spark's CSV reader, all nine columns checked, what does not fit in a column of its own."""
    frame = spark.read.csv(source, schema=f"{SCHEMA}, bad string", columnNameOfCorruptRecord="bad")
    return frame.where("bad IS NULL").select(*KEPT)


def split_and_cast(spark: SparkSession, source: str) -> DataFrame:
    """Lines split, and all nine columns cast."""
    fields = spark.read.text(source).select(F.split("value", ",").alias("fields"))
    typed = fields.select(
        F.get("fields", F.lit(0)).alias("sex"),
        *(F.expr(f"try_cast(get(fields, {i}) AS double)").alias(name) for i, name in enumerate(MEASURES, 1)),
        F.expr("try_cast(get(fields, 8) AS int)").alias("rings"),
    )
    valid = F.col("sex").isin("M", "F", "I") & (F.col("rings") >= 0)
    for name in MEASURES:
        valid &= F.col(name).between(0, sys.float_info.max)
    # Observed, or the optimiser would split each line once for every condition.
    flagged = typed.select(*KEPT, valid.alias("valid")).observe("rows", F.count("*"))
    return flagged.where("valid").select(*KEPT)


def matching(pattern: str) -> Reader:
    """Return a reader of the lines that match a regular expression, which cuts the four columns out."""

    def read(spark: SparkSession, source: str) -> DataFrame:
        def part(end: int, kind: str, name: str) -> Column:
            text = f"substring_index(substring_index(value, ',', {end}), ',', -1)"
            return F.expr(f"try_cast({text} AS {kind})").alias(name)

        lines = spark.read.text(source).where(F.col("value").rlike(pattern))
        return lines.select(
            part(1, "string", "sex"),
            part(2, "double", "length"),
            part(3, "double", "diameter"),
            F.expr("try_cast(substring_index(value, ',', -1) AS int)").alias("rings"),
        )

    return read


JOBS: dict[str, Job] = {
    "sample": sample,
    "csv reader": parquet_first(csv_reader),
    "checked csv reader": parquet_first(checked_csv_reader),
    "split and cast": parquet_first(split_and_cast),
    "regex with groups": parquet_first(matching(GROUPED)),
    "plain regex": parquet_first(matching(PLAIN)),
    "plain regex, persisted": persisted(matching(PLAIN)),
}


if __name__ == "__main__":
    name, source, target = sys.argv[1:]
    session = SparkSession.builder.appName(name).getOrCreate()
    JOBS[name](session, source, target)
    session.stop()
