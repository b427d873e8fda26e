"""Read Abalone CSV files, set malformed rows aside, and write the columns that count as Parquet and as CSV.

    spark-submit --py-files data_utils.py process_pyspark.py --input_table URI --output_table URI

The input is read once, as lines of text, by Spark's own expressions: one regular expression tells the plain
rows, which is nearly all. Only where something else is left, the input is read again, for that alone: what is
a row all the same joins the others, what is none is set aside. The CSV is written from the Parquet, which
costs less than another look at the input, or than keeping the rows.

Each run has a folder below `--output_table`, `runs/<run>/`, with `parquet/`, `csv/`, `rejected/` (JSON lines:
file, line, reason; if there are any) and `report.json` (docs/job-report.md). Last of all, and at once, the
report takes the place of the one in the report folder. Whoever follows that one to the folders it names sees
one whole run or another, never half of one.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from data_utils import (
    SPARK_ERRORS,
    Check,
    JobError,
    begin_run,
    count_executors,
    delete,
    file_sizes,
    input_size,
    job_report,
    local_setting,
    output_files,
    overlap,
    persisted,
    publish_report,
    reading,
    spark_failure,
    spread,
    stdout_logger,
    stop_spark,
    timed,
    written_output,
)
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
SCHEMA = "sex string, length double, diameter double, rings int"
KEPT = ("sex", "length", "diameter", "rings")

PLAIN_ROW = "^[MFI]" + r",[0-9]+\.?[0-9]*" * len(MEASURES) + r",[0-9]{1,9}\z"
r"""A row as nearly all of them are. Without groups: Java takes half the time for it.

`\z`, since `$` also matches before U+0085, U+2028 or U+2029 at the end, and these do not end a line."""
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

UNPRINTABLE = r"[\p{C}\p{Zl}\p{Zp}]"
CONVERT = "convert it to UTF-8, as by iconv"
OTHER_FORMATS = {
    "1F8B08": "is compressed by gzip, but its name does not end in .gz (in lower case): rename it",
    "1F9D": "is compressed by compress (.Z), which Spark does not read: unpack it",
    "425A683[1-9]314159265359": "is compressed by bzip2, but its name does not end in .bz2: rename it",
    "504B030[46]|504B0506": "is a ZIP archive (.zip, .xlsx), which Spark does not read: unpack it",
    "FD377A585A00": "is compressed by xz, which Spark does not read: unpack it",
    "28B52FFD": "is compressed by Zstandard, but its name does not end in .zst: unpack it",
    "04224D18": "is compressed by LZ4, which Spark does not read as the lz4 tool writes it: unpack it",
    "FF060000734E61507059": "is compressed by Snappy frames, which Spark does not read: unpack it",
    "377ABCAF271C": "is a 7z archive, which Spark does not read: unpack it",
    "5041523115": "is a Parquet file: convert it to CSV",
    "4F626A01": "is an Avro file: convert it to CSV",
    "D0CF11E0": "is an Office file: save it as CSV",
    "255044462D": "is a PDF file: convert it to CSV",
    "FFFE0000|0000FEFF": f"is UTF-32: {CONVERT}",
    "FFFE|FEFF": f"is UTF-16: {CONVERT}",
    "(00[2-7].){3}|([2-7].00){3}": f"is UTF-16: {CONVERT}",
}
"""What a file is that begins with these bytes, in hexadecimal, and what to do. The first that fits counts."""
LONGEST_SIGNATURE = 10

SHOWN_LINES = 3
SHOWN_CHARACTERS = 120


class Options(NamedTuple):
    """The command line."""

    input_table: str
    output_table: str
    max_rejected_fraction: float


class Counts(NamedTuple):
    """Data rows, so without header lines and blank lines."""

    rows: int
    """Of the input."""
    written: int
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
    except SPARK_ERRORS as error:  # Java's trace stays in the log above; the last line is for people
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

    run = begin_run(target)
    folder = run.below(target)
    outputs = Outputs(f"{folder}/parquet", f"{folder}/csv", f"{folder}/rejected")
    try:
        with timed(seconds, "write Parquet"), reading(spark, source):
            plain, others = write_plain_rows(spark, source, outputs.parquet, output_files(size))
        counts = Counts(rows=plain, written=plain, rejected=0)
        if others:
            with timed(seconds, "look closely"):
                looked_at, rejected = look_closely(spark, options, outputs, output_files(int(size * others)))
                counts = Counts(plain + looked_at, count_rows(spark, outputs.parquet), rejected)
        log.info("read %s rows from %s, rejected %s", f"{counts.rows:,}", source, f"{counts.rejected:,}")
        judge(spark, counts, options, outputs)
        with timed(seconds, "write CSV"):
            write_csv(spark, outputs)
        written = {
            "csv": written_output(spark, outputs.csv, counts.written, "csv"),
            "parquet": written_output(spark, outputs.parquet, counts.written, "parquet", required=KEPT),
        }
    except Exception:
        with suppress(*SPARK_ERRORS):  # the driver may have ended, and what it was is told first
            for unfinished in (outputs.parquet, outputs.csv):
                delete(spark, unfinished)
        raise

    if counts.rejected:
        written["rejected"] = written_output(spark, outputs.rejected, counts.rejected, "json")
    report = job_report(
        spark.sparkContext.applicationId,
        written,
        rows_in=counts.rows,
        rows_rejected=counts.rejected,
        checks=[
            Check("rows in = rows written + rows rejected", counts.rows, counts.written + counts.rejected)
        ],
        seconds=seconds,
        executors=count_executors(spark),
    )
    for removed in publish_report(spark, run, report):
        log.info("removed the outdated run %s", removed)
    log.info("wrote %s rows to %s", f"{counts.written:,}", folder)


def write_plain_rows(spark: SparkSession, source: str, parquet: str, files: int) -> tuple[int, float]:
    """Write the plain rows, and return how many they are, and the share of other lines that may be rows.

    What was written is counted in the files, not observed: Spark observes a task twice that it has to run
    again. Lines are observed, as they leave the scan, where it costs nearly nothing; lines that count twice
    only have the input looked at once more.
    """
    seen = Observation()
    lines = spark.read.text(source, recursiveFileLookup=True).observe(
        seen, F.count("*").alias("lines"), F.count(F.when(is_no_row(), 1)).alias("no_rows")
    )
    append(spread(lines.where(is_plain()).select(*kept("value")), files), parquet)
    observed = seen.get
    if not observed:  # where there is no line at all
        return 0, 0.0
    rows = count_rows(spark, parquet)
    return rows, 1 - (observed["no_rows"] + rows) / observed["lines"]


def look_closely(spark: SparkSession, options: Options, outputs: Outputs, files: int) -> tuple[int, int]:
    """Add valid rows that need a closer look, and quarantine malformed lines.

    Returns:
        How many rows were looked at, and how many of them were set aside.

    Raises:
        JobError: a header with other columns, or a file of another format.
    """
    lines = (
        spark.read.text(options.input_table, recursiveFileLookup=True)
        .select("value", F.col("_metadata.file_path").alias("file"))
        .where(~is_plain() & ~is_no_row())
        .select("file", F.col("value").alias("line"), unquoted("value").alias("text"))
        .select("file", "line", "text", F.split("text", ",").alias("fields"))
    )
    with persisted(lines.select("*", is_valid().alias("valid")).repartition(files)) as judged:
        append(judged.where("valid").select(*kept("text")), outputs.parquet)
        explain(judged.where("NOT valid")).write.json(outputs.rejected)
        looked_at = judged.count()
    malformed = read_rejected(spark, outputs)
    if fault := malformed.where(F.col("reason").isin(WRONG_HEADER, *OTHER_FORMATS.values())).first():
        if fault.reason != WRONG_HEADER:
            raise JobError(f"{fault.file} {fault.reason}")
        raise JobError(
            f"{fault.file} has the header {shown(fault.line)}, but the columns must be {','.join(COLUMNS)}, "
            "in this order (with or without a header line)"
        )
    return looked_at, malformed.count()


def judge(spark: SparkSession, counts: Counts, options: Options, outputs: Outputs) -> None:
    """Decide whether the job may go on.

    Raises:
        JobError: no rows, or too many malformed rows.
    """
    if not counts.rows:
        raise JobError(f"{options.input_table} has no data rows")
    share = counts.rejected / counts.rows
    if share > options.max_rejected_fraction or counts.rejected == counts.rows:
        examples = "; ".join(
            f"{fault.file}: {shown(fault.line)} ({fault.reason})"
            for fault in read_rejected(spark, outputs).head(SHOWN_LINES)
        )
        raise JobError(
            f"{counts.rejected:,} of {counts.rows:,} rows are malformed ({share:.2%}), "
            f"--max_rejected_fraction allows {options.max_rejected_fraction:.2%}; "
            f"all of them are in {outputs.rejected}, the first are {examples}"
        )


def write_csv(spark: SparkSession, outputs: Outputs) -> None:
    """Write a CSV file for each Parquet file."""
    largest = max(file_sizes(spark, outputs.parquet))
    with local_setting(spark, "spark.sql.files.maxPartitionBytes", str(largest)):
        spark.read.schema(SCHEMA).parquet(outputs.parquet).write.csv(outputs.csv, header=True)


def append(rows: DataFrame, parquet: str) -> None:
    """Add rows to the Parquet output."""
    rows.write.mode("append").option("parquet.block.size", ROW_GROUP_BYTES).parquet(parquet)


def count_rows(spark: SparkSession, parquet: str) -> int:
    """Return the rows of Parquet files, which tell it at their end."""
    return spark.read.schema(SCHEMA).parquet(parquet).count()


def read_rejected(spark: SparkSession, outputs: Outputs) -> DataFrame:
    """Return the quarantine."""
    return spark.read.json(outputs.rejected, schema="file string, line string, reason string")


def is_plain() -> Column:
    """Return whether a line is a valid row beyond doubt: it needs no closer look."""
    return F.col("value").rlike(PLAIN_ROW) & (F.octet_length("value") <= PLAIN_LENGTH)


def is_no_row() -> Column:
    """Return whether a line is blank or the expected header."""
    line = F.col("value")
    row = reduce(or_, (line.startswith(sex) for sex in SEXES))  # tells nearly all lines, for next to nothing
    return ~row & (line.rlike(r"(?U)^\s*\z") | (names(line) == ",".join(COLUMNS).replace("_", "")))


def is_valid() -> Column:
    """Return whether a split line is a valid row."""
    valid = (F.size("fields") == len(COLUMNS)) & ~F.col("text").rlike(JAVA_NUMBER)
    valid &= F.trim(F.get("fields", F.lit(0))).isin(*SEXES) & (number(len(COLUMNS) - 1, "int") >= 0)
    for index in range(1, len(MEASURES) + 1):
        valid &= number(index, "double").between(0, LARGEST_DOUBLE)  # NaN and Infinity are not
    return F.coalesce(valid, F.lit(False))


def kept(line: str) -> list[Column]:
    """Return the kept columns, cut out of a valid line: quicker than to split it."""

    def part(position: int, kind: str) -> str:
        start = f"substring_index({line}, ',', {position})" if position > 0 else line
        return f"try_cast(trim(substring_index({start}, ',', -1)) AS {kind})"

    return [
        F.expr(part(1, "string")).alias("sex"),
        F.expr(part(2, "double")).alias("length"),
        F.expr(part(3, "double")).alias("diameter"),
        F.expr(part(-1, "int")).alias("rings"),
    ]


def names(line: Column) -> Column:
    """Return a line as a header of column names is compared, so without blanks, marks and capitals."""
    return F.lower(F.regexp_replace(line, r'(?U)[\s_"]', ""))


def unquoted(column: str) -> Column:
    """Return lines without the quotation marks around fields; stray ones stay, and spoil their field."""
    line = F.col(column)
    bare = F.regexp_replace(line, r'(^|,)\s*"([^",]*)"\s*(?=,|\z)', "$1$2")
    return F.when(line.contains('"'), bare).otherwise(line)


def number(index: int, kind: str) -> Column:
    """Return one of `fields` as a number, or null. A plain cast would read 7.5 as the whole number 7."""
    return F.expr(f"try_cast(get(fields, {index}) AS {kind})")


def explain(lines: DataFrame) -> DataFrame:
    """Return file, line and reason of split lines that are malformed, or a header with other columns."""
    expected = F.array(*(F.lit(name.replace("_", "")) for name in COLUMNS))
    known = F.size(F.array_intersect(F.transform("fields", names), expected))
    words = F.forall(
        "fields", lambda field: field.rlike(r"^\s*\p{L}") & ~F.trim(field).isin(*NO_COLUMN_NAMES)
    )
    start = F.hex(F.substring(F.col("line").cast("binary"), 1, LONGEST_SIGNATURE))
    other_format = F.coalesce(
        *(F.when(start.rlike(f"^({signature})"), said) for signature, said in OTHER_FORMATS.items())
    )
    reason = (
        F.when(other_format.isNotNull(), other_format)
        .when((known >= 3) | (words & (F.size("fields") == len(COLUMNS))), WRONG_HEADER)
        .when(
            F.size("fields") != len(COLUMNS),
            F.concat(F.size("fields"), F.lit(f" fields instead of {len(COLUMNS)}")),
        )
        .otherwise(F.concat_ws("; ", *(objection(i) for i in range(len(COLUMNS)))))
    )
    return lines.select("file", "line", reason.alias("reason"))


def objection(index: int) -> Column:
    """Return what is wrong with one of `fields`, or null."""
    name = COLUMNS[index]
    field = F.trim(F.get("fields", F.lit(index)))
    value = number(index, "double")
    quoted = F.concat(
        F.lit(": "), F.substring(F.regexp_replace(field, UNPRINTABLE, "�"), 1, SHOWN_CHARACTERS)
    )
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
