"""Checks Abalone lines with Spark expressions: which rows are valid, and why others are not.

Independent of the library, line by line as Spark's text reader returns them, and slow: a test oracle.
"""

import sys
from functools import reduce
from operator import or_
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name that the Spark world gives it

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

PLAIN_ROW = "^[MFI]" + r",[0-9]+\.?[0-9]*" * len(MEASURES) + r",[0-9]{1,9}\z"
r"""A typical row. Without groups, Java takes half the time to match it.

`\z`, because `$` also matches before U+0085, U+2028 or U+2029 at the end, which do not end a line."""
PLAIN_LENGTH = 200
"""A longer line can contain an invalid number, such as one with 400 digits."""

LARGEST_DOUBLE = sys.float_info.max
JAVA_NUMBER = "[0-9.][dDfFxX]"
"""Java reads 1d, 1f and 0x1p3 as numbers; in a CSV file they are not valid."""

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
"""Words that occur in data rows."""
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
"""File formats by their first bytes in hexadecimal, with a remedy. The first match applies."""
LONGEST_SIGNATURE = 10

SHOWN_CHARACTERS = 120


def check(spark: SparkSession, source: str) -> tuple[list[tuple[Any, ...]], list[tuple[str, str, str]]]:
    """Return the output columns of valid rows, and file, line and reason of rejected ones; both sorted."""
    lines = (
        spark.read.text(source, recursiveFileLookup=True)
        .select("value", F.col("_metadata.file_path").alias("file"))
        .where(~is_no_row())
        .select(
            "file", F.col("value").alias("line"), unquoted("value").alias("text"), is_plain().alias("plain")
        )
        .select("file", "line", "text", "plain", F.split("text", ",").alias("fields"))
        .select("*", (F.col("plain") | is_valid()).alias("valid"))
        .cache()
    )
    rows = [tuple(row) for row in lines.where("valid").select(*kept("text")).collect()]
    rejected = [tuple(row) for row in explain(lines.where("NOT valid")).collect()]
    lines.unpersist()
    return sorted(rows), sorted(rejected)


def is_plain() -> Column:
    """Return whether a line is certainly a valid row, without further checks."""
    return F.col("value").rlike(PLAIN_ROW) & (F.octet_length("value") <= PLAIN_LENGTH)


def is_no_row() -> Column:
    """Return whether a line is blank or the expected header."""
    line = F.col("value")
    row = reduce(or_, (line.startswith(sex) for sex in SEXES))  # fast, and matches nearly all lines
    return ~row & (line.rlike(r"(?U)^\s*\z") | (names(line) == ",".join(COLUMNS).replace("_", "")))


def is_valid() -> Column:
    """Return whether a split line is a valid row."""
    valid = (F.size("fields") == len(COLUMNS)) & ~F.col("text").rlike(JAVA_NUMBER)
    valid &= F.trim(F.get("fields", F.lit(0))).isin(*SEXES) & (number(len(COLUMNS) - 1, "int") >= 0)
    for index in range(1, len(MEASURES) + 1):
        valid &= number(index, "double").between(0, LARGEST_DOUBLE)  # NaN and Infinity are not valid
    return F.coalesce(valid, F.lit(False))


def kept(line: str) -> list[Column]:
    """Return the output columns, extracted from a valid line, which is faster than splitting it."""

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
    """Return a line normalized for the comparison with column names: no blanks, quotes or capitals."""
    return F.lower(F.regexp_replace(line, r'(?U)[\s_"]', ""))


def unquoted(column: str) -> Column:
    """Return lines without quotation marks around fields; other marks stay, and make their field invalid."""
    line = F.col(column)
    bare = F.regexp_replace(line, r'(^|,)\s*"([^",]*)"\s*(?=,|\z)', "$1$2")
    return F.when(line.contains('"'), bare).otherwise(line)


def number(index: int, kind: str) -> Column:
    """Return one of `fields` as a number, or null. A plain cast would read 7.5 as the integer 7."""
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
        *(F.when(start.rlike(f"^({signature})"), reason) for signature, reason in OTHER_FORMATS.items())
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
    """Return why one of `fields` is invalid, or null."""
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
