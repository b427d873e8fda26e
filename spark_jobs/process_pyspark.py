"""Read Abalone CSV files, set malformed rows aside, and write the columns that count as CSV and as Parquet.

    spark-submit --py-files data_utils.py process_pyspark.py --input_table URI --output_table URI

The input is scanned once: text lines are split and checked by Spark's own expressions, the four columns that
are kept are persisted, and the raw line travels along only for what is no valid row. Counts, quarantine, CSV
and Parquet come from what was persisted.

Below `--output_table`: `csv/`, `parquet/`, `rejected/` (JSON lines: file, line, reason; if there are any)
and `report.json`, which is written last, so that it marks a complete run.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, NamedTuple

from data_utils import (
    JobError,
    count_part_files,
    delete,
    input_size,
    output_files,
    overlap,
    persisted,
    root_cause,
    spread,
    stdout_logger,
    timed,
    write_text,
)
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name that the Spark world gives it

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame

SEXES = ("M", "F", "I")
MEASURES = (
    "length",
    "diameter",
    "height",
    "whole_weight",
    "shucked_weight",
    "viscera_weight",
    "shell_weight",
)
COLUMNS = ("sex", *MEASURES, "rings")
KEPT = ("sex", "length", "diameter", "rings")

LARGEST_DOUBLE = sys.float_info.max
JAVA_NUMBER = "[0-9.][dDfFxX]"
"""Java reads 1d, 1f and 0x1p3 as numbers; in a CSV file they are none."""

NO_COLUMN_NAMES = (
    "M",
    "F",
    "I",
    "NaN",
    "nan",
    "NA",
    "N/A",
    "NULL",
    "Null",
    "null",
    "None",
    "Inf",
    "Infinity",
)
"""Words that do stand in data rows."""
WRONG_HEADER = "is a header line with other columns"

SHOWN_LINES = 3
SHOWN_CHARACTERS = 120


class Options(NamedTuple):
    """The command line."""

    input_table: str
    output_table: str
    max_rejected_fraction: float


class Counts(NamedTuple):
    """Data rows of the input, so without header lines and blank lines."""

    rows: int
    rejected: int


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job.

    Raises:
        JobError: the input, the output or Spark do not allow it; the message is one line.
    """
    options = parse(argv)
    log = stdout_logger("process_pyspark")
    seconds: dict[str, float] = {}
    with timed(seconds, "start Spark"):
        # Sizes belong to the cluster (configuration.json), so none are set here.
        spark = SparkSession.builder.appName("process_pyspark").getOrCreate()
    spark.sparkContext.setLogLevel("WARN")
    try:
        process(spark, options, seconds, log)
    except Py4JJavaError as error:  # Java's trace stays in the log above; the last line is for people
        raise JobError(f"Spark failed: {root_cause(error)}") from error


def parse(argv: Sequence[str] | None) -> Options:
    """Read the command line."""

    def fraction(text: str) -> float:
        value = float(text)
        if not 0 <= value <= 1:
            raise argparse.ArgumentTypeError(f"{text} is not a fraction from 0 to 1")
        return value

    parser = argparse.ArgumentParser(description="Check Abalone CSV files; write them as CSV and Parquet.")
    parser.add_argument(
        "--input_table", required=True, help="file, folder or glob pattern (s3a://, s3://, local)"
    )
    parser.add_argument("--output_table", required=True, help="folder below which everything is written")
    parser.add_argument(
        "--max_rejected_fraction",
        type=fraction,
        default=0.01,
        help="the job fails if more of the rows are malformed (default: %(default)s)",
    )
    values = parser.parse_args(argv)
    return Options(values.input_table, values.output_table.rstrip("/"), values.max_rejected_fraction)


def process(spark: SparkSession, options: Options, seconds: dict[str, float], log: logging.Logger) -> None:
    """Do the work of the job in the given session."""
    source, target = options.input_table, options.output_table
    csv, parquet, quarantine = f"{target}/csv", f"{target}/parquet", f"{target}/rejected"
    report = f"{target}/report.json"
    if overlap(source, target):
        raise JobError(f"--input_table {source} and --output_table {target} must not lie in one another")

    files = output_files(input_size(spark, source))
    with persisted(read_lines(spark, source)) as lines:
        with timed(seconds, "read and validate"):
            counts = validate(spark, lines, options, quarantine)
        log.info("read %s rows from %s, rejected %s", f"{counts.rows:,}", source, f"{counts.rejected:,}")
        delete(spark, report)
        rows = spread(lines.where("line IS NULL").select(*KEPT), files)
        with timed(seconds, "write Parquet"):
            rows.write.mode("overwrite").parquet(parquet)
        with timed(seconds, "write CSV"):
            rows.write.mode("overwrite").csv(csv, header=True)

    written = {"csv": count_part_files(spark, csv), "parquet": count_part_files(spark, parquet)}
    outcome = {
        "application_id": spark.sparkContext.applicationId,
        "rows_in": counts.rows,
        "rows_out": counts.rows - counts.rejected,
        "rows_rejected": counts.rejected,
        "outputs": {"csv": csv, "parquet": parquet, "rejected": quarantine if counts.rejected else None},
        "files": written,
        "seconds": seconds,
    }
    write_text(spark, report, json.dumps(outcome, indent=2) + "\n")
    log.info("wrote %s rows below %s: %s", f"{counts.rows - counts.rejected:,}", target, json.dumps(written))


def read_lines(spark: SparkSession, uri: str) -> DataFrame:
    """Return one row per line of the input: of a valid line the kept columns, else its text and file.

    This looks at every line there is, so it decides and no more; `explain` finds the words for what is left.
    Folders are read to their depths; what is compressed and how lines end is Spark's business.
    """
    text = (
        spark.read.text(uri, recursiveFileLookup=True)
        .select("value", F.col("_metadata.file_path").alias("file"), unquoted("value").alias("text"))
        .select("value", "file", "text", F.split("text", ",").alias("fields"))
    )
    typed = text.select(
        "value",
        "file",
        ((F.size("fields") == len(COLUMNS)) & ~F.col("text").rlike(JAVA_NUMBER)).alias("whole"),
        F.trim(F.get("fields", F.lit(0))).alias("sex"),
        *(number(i, "double").alias(COLUMNS[i]) for i in range(1, len(COLUMNS) - 1)),
        number(len(COLUMNS) - 1, "int").alias("rings"),
    )
    valid = F.col("whole") & F.col("sex").isin(*SEXES) & (F.col("rings") >= 0)
    for name in MEASURES:
        valid &= F.col(name).between(0, LARGEST_DOUBLE)  # NaN and Infinity are not
    valid = F.coalesce(valid, F.lit(False))
    return typed.select(*KEPT, "file", "value", valid.alias("valid")).select(
        *KEPT,
        F.when(~F.col("valid"), F.col("file")).alias("file"),
        F.when(~F.col("valid"), F.col("value")).alias("line"),
    )


def unquoted(column: str) -> Column:
    """Return lines without the quotation marks around fields; stray ones stay, and spoil their field."""
    line = F.col(column)
    bare = F.regexp_replace(line, r'(^|,)\s*"([^",]*)"\s*(?=,|$)', "$1$2")
    return F.when(line.contains('"'), bare).otherwise(line)


def number(index: int, kind: str) -> Column:
    """Return one of `fields` as a number, or null. A plain cast would read 7.5 as the whole number 7."""
    return F.expr(f"try_cast(get(fields, {index}) AS {kind})")


def validate(spark: SparkSession, lines: DataFrame, options: Options, quarantine: str) -> Counts:
    """Count the rows, write the malformed ones to the quarantine, and decide whether the job may go on.

    Raises:
        JobError: no rows, a header with other columns, or too many malformed rows.
    """
    lines_read, unread = lines.agg(F.count("*"), F.count("line")).collect()[0]
    faults = explain(lines.where("line IS NOT NULL").select("file", "line"))
    is_header = F.col("reason") == WRONG_HEADER
    rejected, headers = 0, 0
    if unread:
        rejected, headers = faults.agg(F.count("reason"), F.count(F.when(is_header, 1))).collect()[0]
    if headers:
        fault = faults.where(is_header).head(1)[0]
        raise JobError(
            f"{fault.file} has the header {shown(fault.line)}, but the columns must be {','.join(COLUMNS)}, "
            "in this order (with or without a header line)"
        )
    counts = Counts(rows=lines_read - unread + rejected, rejected=rejected)
    if not counts.rows:
        raise JobError(f"{options.input_table} has no data rows")
    if not rejected:
        delete(spark, quarantine)
        return counts
    malformed = faults.where("reason IS NOT NULL")
    spread(malformed, output_files(0)).write.mode("overwrite").json(quarantine)
    if rejected > options.max_rejected_fraction * counts.rows or rejected == counts.rows:
        examples = "; ".join(
            f"{fault.file}: {shown(fault.line)} ({fault.reason})" for fault in malformed.head(SHOWN_LINES)
        )
        raise JobError(
            f"{rejected:,} of {counts.rows:,} rows are malformed ({rejected / counts.rows:.2%}), "
            f"--max_rejected_fraction allows {options.max_rejected_fraction:.2%}; "
            f"all of them are in {quarantine}, the first are {examples}"
        )
    return counts


def explain(lines: DataFrame) -> DataFrame:
    """Return file, line and reason of lines that are no valid rows; blank and header lines have no reason."""
    split = lines.withColumn("fields", F.split(unquoted("line"), ","))
    names = F.transform("fields", lambda field: F.lower(F.regexp_replace(field, r'[\s_"]', "")))
    expected = F.array(*(F.lit(name.replace("_", "")) for name in COLUMNS))
    known = F.size(F.array_intersect(names, expected))
    words = F.forall(
        "fields", lambda field: field.rlike(r"^\s*\p{L}") & ~F.trim(field).isin(*NO_COLUMN_NAMES)
    )
    reason = (
        F.when(F.trim("line").rlike(r"^\s*$"), None)
        .when(names == expected, None)
        .when((known >= 3) | (words & (F.size("fields") == len(COLUMNS))), WRONG_HEADER)
        .when(
            F.size("fields") != len(COLUMNS),
            F.concat(F.size("fields"), F.lit(f" fields instead of {len(COLUMNS)}")),
        )
        .otherwise(F.concat_ws("; ", *(objection(i) for i in range(len(COLUMNS)))))
    )
    return split.select("file", "line", reason.alias("reason"))


def objection(index: int) -> Column:
    """Return what is wrong with one of `fields`, or null."""
    name = COLUMNS[index]
    field = F.trim(F.get("fields", F.lit(index)))
    value = number(index, "double")
    quoted = F.concat(F.lit(": "), F.substring(field, 1, SHOWN_CHARACTERS))
    missing = F.when(field == "", f"{name} is missing")
    if name == "sex":
        return missing.when(~field.isin(*SEXES), F.concat(F.lit(f"sex is not {', '.join(SEXES)}"), quoted))
    checked = (
        missing.when(
            value.isNull() | field.rlike(JAVA_NUMBER), F.concat(F.lit(f"{name} is not a number"), quoted)
        )
        .when(F.abs(value) > LARGEST_DOUBLE, f"{name} is not finite")
        .when(value < 0, f"{name} is negative")
    )
    if name == "rings":
        return checked.when(
            number(index, "int").isNull(), F.concat(F.lit("rings is not a whole number"), quoted)
        )
    return checked


def shown(line: str) -> str:
    """Return a line for a message, cut where it is long."""
    return repr(line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}…")


if __name__ == "__main__":
    try:
        main()
    finally:  # otherwise a cluster takes the end of the driver for a failure of the application
        if session := SparkSession.getActiveSession():
            session.stop()
