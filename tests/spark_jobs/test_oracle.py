"""The job accepts and rejects the same lines as Spark's own expressions, with many kinds of errors."""

import json
import random
from pathlib import Path

import polars as pl
import process_pyspark
import pytest
from etl.ingestion.job import ingest
from pyspark.sql import SparkSession

from tests.bench import abalone
from tests.spark_jobs import oracle

FIELDS = ("M", "0.455", "0.365", "0.095", "0.514", "0.2245", "0.101", "0.15", "15")
ODD = (
    *(
        "",
        " ",
        "\t",
        "  ",
        '"',
        '""',
        "NULL",
        "NaN",
        "nan",
        "inf",
        "-Infinity",
        "+Infinity",
        "infinity",
        "null",
    ),
    *(
        "0",
        "-0",
        "-0.0",
        "+0",
        "00",
        "007",
        "1.",
        ".5",
        ".",
        "+",
        "-",
        "1e3",
        "1E-3",
        "1e400",
        "1e-400",
        "1e",
        "e1",
    ),
    *("1d", "1f", "1D", "0x1p3", "0xF", "1_000", "1,5", "1 5", " 1", "1 ", "\t1", "1\x1f", "1\x00", "\x851"),
    *(
        "\uff12",
        "15\u2028",
        "\xa015",
        "15\u200b",
        "1\ufeff",
        "½",
        "2147483647",
        "2147483648",
        "-2147483649",
        "15.0",
    ),
    *(
        "9" * 400,
        "0." + "0" * 300 + "1",
        "-1",
        "-0.5",
        "7.5",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
    ),
    *(
        "M",
        "F",
        "I",
        "m",
        " M",
        "M ",
        "\tM",
        "MF",
        '"M"',
        ' "M" ',
        '"0.5"',
        '"15"',
        '"1',
        '1"',
        '"M,F"',
        "sex",
    ),
    *("length", "Rings", "whole weight", "x" * 300, "é", "\ud7ff", "a\tb"),
)
LINES = (
    *("", " ", "\t", "\xa0", "\u2028", ",", ",,,,,,,,", "," * 9, "x", "M", '"', "\ufeff", "\x85"),
    "sex,length,diameter,height,whole_weight,shucked_weight,viscera_weight,shell_weight,rings",
    "Sex, Length,Diameter,HEIGHT,Whole weight,Shucked weight,Viscera weight,Shell weight, Rings ",
    *(" " + ",".join(FIELDS), ",".join(FIELDS) + " ", " , ".join(FIELDS), '"' + '","'.join(FIELDS) + '"'),
    *(
        ",".join(FIELDS) + end
        for end in ("\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x7f", "\0", ",", ",1")
    ),
    *(",".join(FIELDS[:-1]), "M,0.455", "xy,1", "x\x01y", "(,1", "\x1fa,1"),
)


def mutated(chance: random.Random) -> str:
    """Return a line with one or two irregular fields, or with all fields irregular."""
    fields = list(FIELDS)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        fields[chance.randrange(9)] = chance.choice(ODD)
    if chance.random() < 0.1:
        fields.insert(chance.randrange(9), chance.choice(ODD))
    if chance.random() < 0.1:
        del fields[chance.randrange(len(fields))]
    if chance.random() < 0.1:
        fields = [f'"{field}"' for field in fields]
    return chance.choice((",", ",", ",", " ,", ", ")).join(fields)


def compare(spark: SparkSession, source: Path, target: Path) -> tuple[int, int]:
    """Run the job and the oracle on the same files; return the numbers of written and rejected rows."""
    rows, rejected = oracle.check(spark, str(source))
    words = ["--input_table", str(source), "--output_table", str(target), "--max_rejected_fraction", "1"]
    ingest(process_pyspark.ABALONE, "compared", words)
    outputs = json.loads((target / "report.json").read_text())["outputs"]
    frames = [pl.read_parquet(part) for part in Path(outputs["parquet"]["folder"]).glob("*.parquet")]
    written = [row for frame in frames for row in frame.rows()]
    quarantine = Path(outputs["rejected"]["folder"]).glob("*.json") if "rejected" in outputs else ()
    lines = [json.loads(line) for part in quarantine for line in part.read_text().split("\n")[:-1]]
    assert sorted(written) == rows
    found = sorted(tuple(line.values()) for line in lines)
    for one, other in zip(found, rejected, strict=True):
        assert one == other
    return len(written), len(found)


@pytest.mark.parametrize("seed", range(2))
def test_generated_lines(spark: SparkSession, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    source = tmp_path / "in"
    source.mkdir()
    for number in range(4):
        end = ("\n", "\r\n", "\r", "\n")[number]
        lines = [mutated(chance) for _ in range(3000)]
        chance.shuffle(lines)
        (source / f"{number}.csv").write_text("".join(line + end for line in lines), newline="")

    written, rejected = compare(spark, source, tmp_path / "out")

    assert min(written, rejected) > 1000


def test_odd_lines_one_by_one_and_together(spark: SparkSession, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    good = ",".join(FIELDS) + "\n"
    for number, line in enumerate(LINES):
        (source / f"{number}.csv").write_text(good + line, newline="")
    (source / "all.csv").write_text("\n".join(LINES) + "\n" + good, newline="")
    (source / "latin.csv").write_bytes(good.encode() * 3 + "M\xe9,0.4\n".encode("latin-1") + good.encode())

    assert min(compare(spark, source, tmp_path / "out")) > 20


def test_the_sample_and_generated_data(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "sample.csv").write_bytes(abalone.SAMPLE.read_bytes())
    abalone.write(20_000, tmp_path / "in" / "generated.csv", header=True)

    assert compare(spark, tmp_path / "in", tmp_path / "out") == (24_177, 0)
