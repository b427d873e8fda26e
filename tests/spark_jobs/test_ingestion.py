"""The library of ingestion jobs with a second table: types, nulls, quoted line breaks, rules, ranges."""

import csv
import datetime
import io
import json
import random
import string
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from etl.errors import JobError
from etl.ingestion import checking, inputs, records, text
from etl.ingestion.checking import Block, check
from etl.ingestion.fields import Double, Integer, String
from etl.ingestion.inputs import Part, Piece, divide, find_input
from etl.ingestion.job import ingest
from etl.ingestion.table import Table
from etl.ingestion.task import output_columns
from etl.names import glob_regex
from etl.storage import LocalDisk, StoredFile
from hypothesis import given
from hypothesis import strategies as st
from pyspark import cloudpickle
from pyspark.sql import SparkSession

sys.path.append(str(Path(__file__).with_name("examples")))

import orders

ORDERS = orders.ORDERS
cloudpickle.register_pickle_by_value(orders)  # as spark-submit does with the job's own file

HEADER = ",".join(ORDERS.names)
GOOD = {
    "order": "7",
    "ordered": "2026-03-01T10:00:00+0100",
    "delivered": "2026-03-04",
    "status": "shipped",
    "customer": "Ada",
    "address": 'Main St 1,\n"Old" Town',
    "comment": "",
    "currency": "EUR",
    "price": "12.50",
    "discount": "0.05",
    "quantity": "3",
    "weight_kg": "1.25",
}


def line(**changes: str) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow((GOOD | changes).values())
    return stream.getvalue()


def checked(text: str, table: Table = ORDERS) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Return the valid rows and the rejected records of a text, with reasons."""
    found = check(table, Block(text.encode("utf-8", "surrogateescape"), [0], ["a.csv"]))
    assert found.problem is None
    rows = [row for frame in found.valid for row in frame.to_dicts()]
    return rows, [(each.line, each.reason) for each in found.rejected]


def test_each_type_has_its_values() -> None:
    ((row,), rejected) = checked(HEADER + "\n" + line())

    assert rejected == []
    assert row == {
        "order": 7,
        "ordered": datetime.datetime(2026, 3, 1, 9, tzinfo=datetime.UTC),
        "delivered": datetime.date(2026, 3, 4),
        "status": "shipped",
        "customer": "Ada",
        "address": 'Main St 1,\n"Old" Town',
        "comment": None,
        "currency": "EUR",
        "price": Decimal("12.50"),
        "discount": Decimal("0.0500"),
        "quantity": 3,
        "weight_kg": 1.25,
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"order": "0"}, "order is less than 1"),
        ({"order": str(2**63)}, f"order is not a whole number: {2**63}"),
        ({"ordered": "2026-02-30T10:00:00+0100"}, "ordered is not a time as %Y-%m-%dT%H:%M:%S%z: 2026-02-30"),
        ({"ordered": "2026-03-01"}, "ordered is not a time"),
        ({"delivered": "tomorrow"}, "delivered is not a time as %Y-%m-%d: tomorrow"),
        ({"delivered": "2026-02-28"}, "delivered before it was ordered"),
        ({"status": "lost"}, "status is not open, shipped, returned: lost"),
        ({"customer": " "}, "customer is missing"),
        ({"price": "1e2"}, "price is not a decimal(12,2): 1e2"),
        ({"price": "1.234"}, "price is not a decimal(12,2): 1.234"),
        ({"price": "12345678901"}, "price is not a decimal(12,2): 12345678901"),
        ({"price": "-1"}, "price is negative"),
        ({"discount": "1.5"}, "discount is more than 1"),
        ({"quantity": "10001"}, "quantity is more than 10000"),
        ({"quantity": "x", "weight_kg": "y"}, "quantity is not a number: x; weight_kg is not a number: y"),
        ({"weight_kg": "NaN"}, "weight_kg is not finite"),
        ({"customer": "A\udcff"}, "customer is not UTF-8"),
    ],
)
def test_what_is_not_valid_is_rejected_alone(changes: dict[str, str], reason: str) -> None:
    bad = line(**changes)
    rows, rejected = checked(line() + bad + line(order="8"))

    assert [row["order"] for row in rows] == [7, 8]
    ((found, why),) = rejected
    assert why.startswith(reason)
    assert found == bad.removesuffix("\n").replace("\udcff", "\ufffd")


@pytest.mark.parametrize("name", ["delivered", "comment", "discount", "weight_kg"])
def test_what_is_not_required_may_be_empty(name: str) -> None:
    for empty in ("", " "):
        ((row,), rejected) = checked(line(**{name: empty}))
        assert (row[name], rejected) == (None, [])


def test_stray_quotes_make_their_record_malformed_only() -> None:
    odd, bad = line(order="9").replace("Ada", 'A"d"a'), line().replace("Ada", '"Ada" Byron')
    rows, rejected = checked(line() + bad + odd + line(order="8"))

    assert {row["order"]: row["customer"] for row in rows} == {7: "Ada", 8: "Ada", 9: 'A"d"a'}
    assert rejected == [(bad.removesuffix("\n"), "quotes that do not enclose a field")]


VALUES = st.text(st.sampled_from(list(string.ascii_letters + '",\n é\u2028;')), max_size=8)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=20))
def test_quoted_text_is_read_as_pythons_csv_reads_it(records: list[tuple[str, str]]) -> None:
    table = Table((String("a", required=False), Integer("n"), String("b", required=False)), multiline=True)
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([a, number, b] for number, (a, b) in enumerate(records))

    rows, rejected = checked(stream.getvalue(), table)

    assert rejected == []
    expected = {number: (a.strip(" ") or None, b.strip(" ") or None) for number, (a, b) in enumerate(records)}
    assert {row["n"]: (row["a"], row["b"]) for row in rows} == expected


def test_columns_of_text_alone_do_not_take_their_header_for_a_row() -> None:
    table = Table((String("first"), String("second")))

    rows, rejected = checked("First,Second\na,b\n", table)

    assert (rows, rejected) == ([{"first": "a", "second": "b"}], [])


def test_a_job_writes_what_other_readers_find(spark: SparkSession, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "a.csv").write_text(HEADER + "\n" + line() * 2 + line(price="x"))
    words = ["--input_table", str(source), "--output_table", str(target), "--max_rejected_fraction", "0.5"]

    ingest(ORDERS, "orders", words)

    report = json.loads((target / "report.json").read_text())
    folder = report["outputs"]["parquet"]["folder"]
    assert (report["rows_in"], report["rows_rejected"]) == (3, 1)
    frame = spark.read.parquet(folder)
    types = dict(frame.dtypes)
    assert (types["order"], types["ordered"], types["delivered"]) == ("bigint", "timestamp", "date")
    assert (types["price"], types["total"], types["days"]) == ("decimal(12,2)", "decimal(18,2)", "bigint")
    assert [tuple(row) for row in frame.select("total", "days", "address").collect()] == [
        (Decimal("37.50"), 3, GOOD["address"])
    ] * 2
    assert str(pq.read_table(folder).schema.field("customer").type) == "string"


@given(st.binary(max_size=60).map(lambda raw: bytes(b"ab\n\r,"[each % 5] for each in raw)), st.integers(1, 9))
def test_each_line_belongs_to_one_range_of_its_file(tmp_path_factory, content: bytes, size: int) -> None:
    path = tmp_path_factory.mktemp("ranges") / "a.csv"
    path.write_bytes(content)
    file = StoredFile(str(path), len(content), 0)
    ranges = [Piece(file, start, min(start + size, len(content))) for start in range(0, len(content), size)]

    found = [
        each
        for piece in ranges
        for block in text.blocks(LocalDisk(), Part(0, (piece,)), multiline=False)
        for each in block.text.split(b"\n")[:-1]
    ]

    assert found == content.splitlines()


@pytest.mark.parametrize("block", [1, 7, 64])
def test_blocks_do_not_change_what_is_read(tmp_path: Path, monkeypatch, block: int) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", block)
    content = "\ufeff" + HEADER + "\r\n" + line().replace("\n", "\r\n") * 5
    (tmp_path / "a.csv").write_text(content, newline="")
    (tmp_path / "b.csv").write_text(content.removesuffix("\r\n"), newline="")
    parts = divide(find_input(LocalDisk(), str(tmp_path)), 2, splittable=False)

    rows = [
        row
        for part in parts
        for each in text.blocks(LocalDisk(), part, multiline=True)
        for frame in check(ORDERS, each).valid
        for row in frame.to_dicts()
    ]

    assert len(rows) == 10
    assert {row["address"] for row in rows} == {GOOD["address"]}


def stored(*sizes: int, suffix: str = ".csv") -> list[StoredFile]:
    return [StoredFile(f"{number:05}{suffix}", size, 0) for number, size in enumerate(sizes)]


@given(st.lists(st.integers(0, 2**32), max_size=20), st.integers(1, 64))
def test_each_byte_is_in_one_part_and_parts_are_not_too_large(sizes: list[int], cores: int) -> None:
    parts = divide(stored(*sizes), cores, splittable=True)

    assert sum(part.size for part in parts) == sum(sizes)
    assert all(0 < part.size <= inputs.SPLIT_BYTES for part in parts)
    assert [part.number for part in parts] == list(range(len(parts)))


def test_many_small_files_share_tasks_and_compressed_ones_are_not_divided() -> None:
    assert len(divide(stored(*[4_000] * 10_000), 8, splittable=True)) == 8
    assert len(divide(stored(2**33, suffix=".csv.gz"), 8, splittable=True)) == 1
    assert len(divide(stored(2**33), 8, splittable=False)) == 1
    assert len(divide(stored(2**33), 8, splittable=True)) == 64
    assert len(divide(stored(64 * 2**20), 8, splittable=True)) == 8


@pytest.mark.parametrize(
    ("megabytes", "cores", "tasks"), [(890, 2, 8), (890, 4, 8), (890, 3, 9), (100, 2, 2), (5, 4, 2)]
)
def test_every_core_has_the_same_number_of_tasks(megabytes: int, cores: int, tasks: int) -> None:
    sizes = [part.size for part in divide(stored(megabytes * 2**20), cores, splittable=True)]

    assert len(sizes) == tasks
    assert max(sizes) - min(sizes) < len(sizes)


def test_a_quote_that_is_not_closed_does_not_fill_the_memory(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(text, "LONGEST_RECORD", 1000)
    monkeypatch.setattr(text, "BLOCK_BYTES", 100)
    (tmp_path / "a.csv").write_text('"' + "a,b\n" * 999)
    (part,) = divide(find_input(LocalDisk(), str(tmp_path)), 1, splittable=False)

    with pytest.raises(JobError, match=r"a\.csv: a quote is not closed within"):
        list(text.blocks(LocalDisk(), part, multiline=True))


def test_a_transformation_keeps_the_rows() -> None:
    table = Table((Double("a"),), transform=lambda rows: rows.head(1))

    with pytest.raises(JobError, match="transform made 1 rows of 2: it must keep the rows"):
        output_columns(table, pl.DataFrame({"a": [1.0, 2.0]}))
    kept = replace(table, transform=lambda rows: rows.with_columns(b=pl.lit(None)))
    assert output_columns(kept, pl.DataFrame({"a": [1.0]})).columns == ["a", "b"]


@pytest.mark.parametrize(
    ("pattern", "matches", "others"),
    [
        ("in/*.csv", ["in/a.csv", "in/.csv"], ["in/a/b.csv", "in/a.csv.gz"]),
        ("in/[a-c]?", ["in/a1", "in/cc"], ["in/d1", "in/a"]),
        ("in/[^a]", ["in/b"], ["in/a"]),
        ("in/{a,b/c}.csv", ["in/a.csv", "in/b/c.csv"], ["in/b.csv", "in/a,b/c.csv"]),
        (r"in/\[1\].csv", ["in/[1].csv"], ["in/1.csv"]),
    ],
)
def test_patterns_match_as_hadoops_do(spark, pattern: str, matches: list[str], others: list[str]) -> None:
    for name in matches + others:
        assert bool(glob_regex(pattern).fullmatch(name)) is (name in matches)
    hadoop = spark._jvm.org.apache.hadoop.fs.GlobPattern
    if "/" not in pattern.removeprefix("in/"):
        for name in (each for each in matches + others if each.count("/") == 1):
            assert hadoop(pattern).matches(name) is (name in matches)


def test_a_block_gives_what_its_records_give_alone() -> None:
    """A block with many invalid records has the same rows as its records processed separately."""
    chance = random.Random(3)
    texts = ["", "1", '"', "x,y", "2026-03-05", "EUR", "a\nb"]
    lines = [line(**{chance.choice(ORDERS.names): chance.choice(texts)}) for _ in range(400)]

    rows, rejected = checked("".join(lines))
    alone = [checked(each) for each in lines]

    assert sorted(map(str, rows)) == sorted(str(row) for found, _ in alone for row in found)
    assert sorted(rejected) == sorted(each for _, found in alone for each in found)


@given(st.text(st.sampled_from('a",\n'), max_size=40))
def test_quotes_are_taken_off_as_the_pattern_takes_them_off(lines: str) -> None:
    block = lines.encode() + b"\n"

    quick = records.without_enclosing_quotes(block, ",")

    assert checking._QUOTED.sub(rb"\1\2", quick) == checking._QUOTED.sub(rb"\1\2", block)
    assert not (block.count(b'"') and quick == block) or any(
        b'"' in checking._QUOTED.sub(rb"\1\2", each) for each in block.split(b"\n")
    )
