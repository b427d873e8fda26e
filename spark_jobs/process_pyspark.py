"""Read Abalone CSV files, set malformed rows aside, and write the columns that count as Parquet and as CSV.

    spark-submit --py-files data_utils.py process_pyspark.py --input_table URI --output_table URI

The input is read once, as lines of text, by Spark's own expressions: one regular expression tells the plain
rows, which is nearly all, and only what is left is looked at closely. The CSV is written from the Parquet,
which costs less than a second look at the input or keeping rows. Where rows are malformed, and only there,
the input is read a second time to set them aside.

Below `--output_table`: `report.json`, and a folder for each run, `runs/<run>/`, with `parquet/`, `csv/` and
`rejected/` (JSON lines: file, line, reason; if there are any). The report is replaced at once and last of
all. Whoever follows it to the folders it names sees one whole run or another, never half of one.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, NamedTuple

from data_utils import (
    JobError,
    delete,
    file_sizes,
    input_size,
    local_setting,
    names_in,
    new_run,
    outdated_runs,
    output_files,
    overlap,
    publish,
    read_text,
    spark_failure,
    spread,
    stdout_logger,
    stop_spark,
    timed,
)
from py4j.protocol import Py4JError
from pyspark.sql import Observation, SparkSession
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

PLAIN_ROW = "^[MFI]" + r",[0-9]+\.?[0-9]*" * len(MEASURES) + ",[0-9]{1,9}$"
"""A row as nearly all of them are. Without groups: Java takes half the time for it."""
PLAIN_LENGTH = 200
"""A longer line may hold a number that is none, such as one of 400 digits."""

LARGEST_DOUBLE = sys.float_info.max
JAVA_NUMBER = "[0-9.][dDfFxX]"
"""Java reads 1d, 1f and 0x1p3 as numbers; in a CSV file they are none."""

ROW_GROUP_BYTES = 128 * 1024**2
"""What a writer collects in memory before it writes; a file of the usual size is one row group."""

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


class Outputs(NamedTuple):
    """Where a run writes."""

    parquet: str
    csv: str
    rejected: str


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
    except Py4JError as error:  # Java's trace stays in the log above; the last line is for people
        raise JobError(spark_failure(error)) from error


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
    if overlap(source, target):
        raise JobError(f"--input_table {source} and --output_table {target} must not lie in one another")
    size = input_size(spark, source)

    run = new_run()
    folder = f"{target}/runs/{run}"
    outputs = Outputs(f"{folder}/parquet", f"{folder}/csv", f"{folder}/rejected")
    lines = read_lines(spark, source)
    try:
        with timed(seconds, "write Parquet"):
            faulty = write_parquet(lines, outputs.parquet, output_files(size))
        with timed(seconds, "set aside"):
            counts = set_aside(spark, lines, options, outputs, size if faulty else 0)
        log.info("read %s rows from %s, rejected %s", f"{counts.rows:,}", source, f"{counts.rejected:,}")
        with timed(seconds, "write CSV"):
            write_csv(spark, outputs)
    except Exception:
        for unfinished in (outputs.parquet, outputs.csv):
            delete(spark, unfinished)
        raise

    written = {"csv": len(file_sizes(spark, outputs.csv)), "parquet": len(file_sizes(spark, outputs.parquet))}
    outcome = {
        "application_id": spark.sparkContext.applicationId,
        "rows_in": counts.rows,
        "rows_out": counts.rows - counts.rejected,
        "rows_rejected": counts.rejected,
        "outputs": {**outputs._asdict(), "rejected": outputs.rejected if counts.rejected else None},
        "files": written,
        "seconds": seconds,
    }
    report = f"{target}/report.json"
    before = read_text(spark, report)
    publish(spark, report, json.dumps(outcome, indent=2) + "\n")
    log.info("wrote %s rows below %s: %s", f"{counts.rows - counts.rejected:,}", folder, json.dumps(written))
    for old in outdated_runs(names_in(spark, f"{target}/runs"), run, before):
        delete(spark, f"{target}/runs/{old}")


def write_parquet(lines: DataFrame, parquet: str, files: int) -> bool:
    """Write the valid rows, and return whether there are lines that must be set aside.

    No more than that is taken from the observation: Spark counts a task twice that it has to run again.
    """
    seen = Observation()
    told = lines.select(*KEPT, "valid", "faulty")
    observed = told.observe(seen, F.count(F.when(F.col("faulty"), 1)).alias("faulty"))
    rows = spread(observed.where("valid").select(*KEPT), files)
    rows.write.option("parquet.block.size", ROW_GROUP_BYTES).parquet(parquet)
    return bool(seen.get.get("faulty"))  # nothing is observed where there is no line


def write_csv(spark: SparkSession, outputs: Outputs) -> None:
    """Write a CSV file for each Parquet file."""
    largest = max(file_sizes(spark, outputs.parquet))
    with local_setting(spark, "spark.sql.files.maxPartitionBytes", str(largest)):
        spark.read.parquet(outputs.parquet).write.csv(outputs.csv, header=True)


def read_lines(spark: SparkSession, uri: str) -> DataFrame:
    """Return each line of the input, the kept columns, and whether it is `valid`, `faulty` or to be skipped.

    This looks at every line there is, so it decides and no more; `explain` finds words for what is faulty.
    Folders are read to their depths; what is compressed and how lines end is Spark's business.
    """
    value = F.col("value")
    plain = value.rlike(PLAIN_ROW) & (F.length(value) <= PLAIN_LENGTH)
    text = (
        spark.read.text(uri, recursiveFileLookup=True)
        .select("value", F.col("_metadata.file_path").alias("file"), plain.alias("plain"))
        .select("*", F.when(F.col("plain"), value).otherwise(unquoted("value")).alias("text"))
    )
    parts = text.select(
        "*",
        F.when(~F.col("plain"), F.split("text", ",")).alias("fields"),
        F.trim(F.substring_index("text", ",", 1)).alias("sex"),
        F.expr("try_cast(substring_index(substring_index(text, ',', 2), ',', -1) AS double)").alias("length"),
        F.expr("try_cast(substring_index(substring_index(text, ',', 3), ',', -1) AS double)").alias(
            "diameter"
        ),
        F.expr("try_cast(substring_index(text, ',', -1) AS int)").alias("rings"),
    )
    valid = F.col("plain") | looked_at_closely()
    skipped = value.rlike(r"^\s*$") | (names(value) == ",".join(COLUMNS).replace("_", ""))
    return parts.select(*parts.columns, valid.alias("valid")).select(
        "value", "file", *KEPT, "valid", (~F.col("valid") & ~skipped).alias("faulty")
    )


def looked_at_closely() -> Column:
    """Return whether the split line of a row that is not plain is valid all the same."""
    valid = (F.size("fields") == len(COLUMNS)) & ~F.col("text").rlike(JAVA_NUMBER)
    valid &= F.col("sex").isin(*SEXES) & (number(len(COLUMNS) - 1, "int") >= 0)
    for index in range(1, len(MEASURES) + 1):
        valid &= number(index, "double").between(0, LARGEST_DOUBLE)  # NaN and Infinity are not
    return F.coalesce(valid, F.lit(False))


def names(line: Column) -> Column:
    """Return a line as a header of column names is compared, so without blanks, marks and capitals."""
    return F.lower(F.regexp_replace(line, r'[\s_"]', ""))


def unquoted(column: str) -> Column:
    """Return lines without the quotation marks around fields; stray ones stay, and spoil their field."""
    line = F.col(column)
    bare = F.regexp_replace(line, r'(^|,)\s*"([^",]*)"\s*(?=,|$)', "$1$2")
    return F.when(line.contains('"'), bare).otherwise(line)


def number(index: int, kind: str) -> Column:
    """Return one of `fields` as a number, or null. A plain cast would read 7.5 as the whole number 7."""
    return F.expr(f"try_cast(get(fields, {index}) AS {kind})")


def set_aside(
    spark: SparkSession, lines: DataFrame, options: Options, outputs: Outputs, faulty_bytes: int
) -> Counts:
    """Count the rows, write the malformed ones to the quarantine, and decide whether the job may go on.

    Args:
        spark: the session.
        lines: as of `read_lines`.
        options: of the command line.
        outputs: where the valid rows lie and malformed ones are written to.
        faulty_bytes: of the input, or 0 where no line is faulty.

    Raises:
        JobError: no rows, a header with other columns, or too many malformed rows.
    """
    accepted = spark.read.parquet(outputs.parquet).count()  # from the files' footers
    if not faulty_bytes:
        if not accepted:
            raise JobError(f"{options.input_table} has no data rows")
        return Counts(rows=accepted, rejected=0)
    faults = explain(lines.where("faulty").select("file", F.col("value").alias("line")))
    faults.repartition(output_files(faulty_bytes)).write.json(outputs.rejected)
    malformed = spark.read.json(outputs.rejected, schema="file string, line string, reason string")
    if fault := malformed.where(F.col("reason") == WRONG_HEADER).first():
        raise JobError(
            f"{fault.file} has the header {shown(fault.line)}, but the columns must be {','.join(COLUMNS)}, "
            "in this order (with or without a header line)"
        )
    rejected = malformed.count()
    counts = Counts(rows=accepted + rejected, rejected=rejected)
    if rejected > options.max_rejected_fraction * counts.rows or rejected == counts.rows:
        examples = "; ".join(
            f"{fault.file}: {shown(fault.line)} ({fault.reason})" for fault in malformed.head(SHOWN_LINES)
        )
        raise JobError(
            f"{rejected:,} of {counts.rows:,} rows are malformed ({rejected / counts.rows:.2%}), "
            f"--max_rejected_fraction allows {options.max_rejected_fraction:.2%}; "
            f"all of them are in {outputs.rejected}, the first are {examples}"
        )
    return counts


def explain(lines: DataFrame) -> DataFrame:
    """Return file, line and reason of lines that are no valid rows, blank or the expected header."""
    split = lines.withColumn("fields", F.split(unquoted("line"), ","))
    expected = F.array(*(F.lit(name.replace("_", "")) for name in COLUMNS))
    known = F.size(F.array_intersect(F.transform("fields", names), expected))
    words = F.forall(
        "fields", lambda field: field.rlike(r"^\s*\p{L}") & ~F.trim(field).isin(*NO_COLUMN_NAMES)
    )
    reason = (
        F.when((known >= 3) | (words & (F.size("fields") == len(COLUMNS))), WRONG_HEADER)
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
    finally:
        stop_spark()
