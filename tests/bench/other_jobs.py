"""Other implementations of the same conversion in Spark: the published sample, and rejected alternatives.

    spark-submit tests/bench/other_jobs.py NAME INPUT OUTPUT

Each reads Abalone CSV without a header and writes four columns as Parquet and as CSV. They show the effect of
a change. Only the job of this project rejects malformed rows with reasons and publishes atomically.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
PLAIN = "^[MFI]" + r",[0-9]+\.?[0-9]*" * len(MEASURES) + r",[0-9]{1,9}\z"
SPLIT_BYTES = 64 * 1024**2
GROUPED = r"^[MFI](?:,[0-9]++(?:\.[0-9]++)?+){7}+,[0-9]{1,9}+\z"


def sample(spark: SparkSession, source: str, target: str) -> None:
    """The sample's logic: two scans with the CSV reader, ten Parquet files. (Its schema lacked a column.)"""
    frame = spark.read.csv(source, header=False, schema=SCHEMA).select(*KEPT)
    frame.write.mode("overwrite").csv(f"{target}/csv", header=True)
    frame.coalesce(10).write.mode("overwrite").parquet(f"{target}/parquet")


def parquet_first(read: Reader) -> Job:
    """Return a job that writes the CSV from its own Parquet output."""

    def job(spark: SparkSession, source: str, target: str) -> None:
        read(spark, source).write.mode("overwrite").parquet(f"{target}/parquet")
        spark.read.parquet(f"{target}/parquet").write.mode("overwrite").csv(f"{target}/csv", header=True)

    return job


def persisted(read: Reader) -> Job:
    """Return a job that persists the rows for its second output."""

    def job(spark: SparkSession, source: str, target: str) -> None:
        frame = read(spark, source).persist()
        frame.write.mode("overwrite").parquet(f"{target}/parquet")
        frame.write.mode("overwrite").csv(f"{target}/csv", header=True)
        frame.unpersist()

    return job


def csv_reader(spark: SparkSession, source: str) -> DataFrame:
    """Spark's CSV reader, pruned to four columns; the other columns are not checked."""
    return spark.read.csv(source, schema=SCHEMA).select(*KEPT)


def checked_csv_reader(spark: SparkSession, source: str) -> DataFrame:
    """Spark's CSV reader with all nine columns checked, and malformed lines in a separate column."""
    frame = spark.read.csv(source, schema=f"{SCHEMA}, bad string", columnNameOfCorruptRecord="bad")
    return frame.where("bad IS NULL").select(*KEPT)


def split_and_cast(spark: SparkSession, source: str) -> DataFrame:
    """Split lines, and cast all nine columns."""
    fields = spark.read.text(source).select(F.split("value", ",").alias("fields"))
    typed = fields.select(
        F.get("fields", F.lit(0)).alias("sex"),
        *(F.expr(f"try_cast(get(fields, {i}) AS double)").alias(name) for i, name in enumerate(MEASURES, 1)),
        F.expr("try_cast(get(fields, 8) AS int)").alias("rings"),
    )
    valid = F.col("sex").isin("M", "F", "I") & (F.col("rings") >= 0)
    for name in MEASURES:
        valid &= F.col(name).between(0, sys.float_info.max)
    # Observed: otherwise the optimizer would split each line once per condition.
    flagged = typed.select(*KEPT, valid.alias("valid")).observe("rows", F.count("*"))
    return flagged.where("valid").select(*KEPT)


def matching(pattern: str) -> Reader:
    """Return a reader that matches lines with a regular expression and extracts the four columns."""

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


def splits(spark: SparkSession, source: str) -> DataFrame:
    """Return the begin and end of each split of a file or of a folder's files, one per partition."""
    files = [Path(source)] if Path(source).is_file() else sorted(Path(source).iterdir())
    parts = [
        (str(file), begin, min(begin + SPLIT_BYTES, file.stat().st_size))
        for file in files
        for begin in range(0, file.stat().st_size, SPLIT_BYTES)
    ]
    schema = "path string, begin long, end long"
    return spark.createDataFrame(spark.sparkContext.parallelize(parts, len(parts)), schema)


def arrow_tables(batches: Iterator[Any]) -> Iterator[tuple[int, Any]]:
    """Yield the valid rows of each split as an Arrow table with its position; runs in Python workers."""
    import pyarrow as pa  # noqa: PLC0415 - in the workers
    from pyarrow import compute, csv  # noqa: PLC0415

    pa.set_cpu_count(1)  # a task has one core
    columns = {"sex": pa.string(), **dict.fromkeys(MEASURES, pa.float64()), "rings": pa.int32()}
    for batch in batches:
        for split in batch.to_pylist():
            with Path(split["path"]).open("rb") as file:
                if split["begin"]:  # a line that has already begun belongs to the previous split
                    file.seek(split["begin"] - 1)
                    file.readline()
                begin = file.tell()
                file.seek(split["end"] - 1)
                file.readline()
                end = file.tell()
                file.seek(begin)
                text = file.read(end - begin)
            if not text:
                continue
            table = csv.read_csv(
                pa.py_buffer(text),
                csv.ReadOptions(use_threads=False, column_names=list(columns), block_size=16 * 1024**2),
                csv.ParseOptions(invalid_row_handler=lambda _row: "skip"),
                csv.ConvertOptions(column_types=columns),
            )
            valid = compute.is_in(table["sex"], value_set=pa.array(["M", "F", "I"]))
            for name in (*MEASURES, "rings"):
                valid = compute.and_(valid, compute.greater_equal(table[name], 0))
            yield split["begin"], table.select(KEPT).filter(valid)


def arrow_reader(spark: SparkSession, source: str) -> DataFrame:
    """Arrow's CSV reader in Python workers, which return the rows to Spark; all nine columns are checked."""

    def rows(batches: Iterator[Any]) -> Iterator[Any]:
        for _, table in arrow_tables(batches):
            yield from table.combine_chunks().to_batches(max_chunksize=100_000)

    return splits(spark, source).mapInArrow(rows, "sex string, length double, diameter double, rings int")


def arrow_alone(spark: SparkSession, source: str, target: str) -> None:
    """Arrow reads and writes in Python workers; Spark only distributes the splits."""

    def write(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa  # noqa: PLC0415 - in the workers
        from pyarrow import csv, parquet  # noqa: PLC0415

        for begin, table in arrow_tables(batches):
            parquet.write_table(table, f"{target}/parquet/{begin:015}.parquet", compression="snappy")
            csv.write_csv(table, f"{target}/csv/{begin:015}.csv")
            yield pa.RecordBatch.from_pydict({"rows": [table.num_rows]})

    for kind in ("parquet", "csv"):
        Path(target, kind).mkdir(parents=True)
    splits(spark, source).mapInArrow(write, "rows long").collect()


JOBS: dict[str, Job] = {
    "sample": sample,
    "csv reader": parquet_first(csv_reader),
    "checked csv reader": parquet_first(checked_csv_reader),
    "split and cast": parquet_first(split_and_cast),
    "regex with groups": parquet_first(matching(GROUPED)),
    "plain regex": parquet_first(matching(PLAIN)),
    "plain regex, persisted": persisted(matching(PLAIN)),
    "Arrow in mapInArrow": parquet_first(arrow_reader),
    "Arrow in mapInArrow, which writes too": arrow_alone,
}


if __name__ == "__main__":
    name, source, target = sys.argv[1:]
    session = SparkSession.builder.appName(name).getOrCreate()
    JOBS[name](session, source, target)
    session.stop()
