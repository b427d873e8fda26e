"""Records, batches, filters and joins, without a server."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.local_aws.transform.data_processing import AssociationError, DataProcessing
from helpers.local_aws.transform.filters import parse_filter
from helpers.local_aws.transform.records import PayloadError, batches, join_csv, read_records, split_csv


def test_lines_are_records(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1,2\r\n3,4\n5,6")
    (tmp_path / "z").write_bytes(gzip.compress(b"1\n2\n"))
    (tmp_path / "empty").write_bytes(b"")

    def read(name: str, *, by_line: bool, compressed: bool = False) -> list[bytes]:
        return list(read_records(tmp_path / name, by_line=by_line, compressed=compressed))

    assert read("a", by_line=True) == [b"1,2", b"3,4", b"5,6"]
    assert read("a", by_line=False) == [b"1,2\r\n3,4\n5,6"]
    assert read("z", by_line=True, compressed=True) == [b"1", b"2"]
    assert read("empty", by_line=False) == read("empty", by_line=True) == []


def test_batches_are_as_large_as_a_payload_may_be() -> None:
    records = [b"1234"] * 5
    assert [len(batch) for batch in batches(records, 15, single=False)] == [3, 2]
    assert [len(batch) for batch in batches(records, 15, single=True)] == [1] * 5
    assert list(batches([], 15, single=False)) == []


def test_a_record_beyond_the_limit_fails() -> None:
    with pytest.raises(PayloadError, match="Too much data for max payload size"):
        list(batches([b"12345"], 4, single=False))


def test_columns_are_quoted_where_they_must_be() -> None:
    assert split_csv(b'"a,b",c') == ["a,b", "c"]
    assert join_csv(["a,b", "c"]) == b'"a,b",c'
    assert join_csv(["a", 'b"']) == b'a,"b"""'
    assert join_csv(["1", "2"]) == b"1,2"


def processing(assemble: str = "Line", **config: str) -> DataProcessing:
    return DataProcessing({"DataProcessing": config, "TransformOutput": {"AssembleWith": assemble}})


BATCH = [b"k1,1,2", b"k2,3,4"]


def test_input_and_predictions_are_joined_and_filtered() -> None:
    each = processing(InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")
    assert each.payload(BATCH) == b"1,2\n3,4"
    assert each.output(BATCH, b"0.5\n0.25\n") == b"k1,0.5\nk2,0.25\n"


def test_without_a_join_the_output_is_the_response() -> None:
    assert processing().output(BATCH, b"0.5\n0.25") == b"0.5\n0.25\n"
    assert processing().output(BATCH, b"0.5\n0.25\n") == b"0.5\n0.25\n"
    assert processing("None").output(BATCH, b"0.5\n0.25") == b"0.5\n0.25"
    assert processing(OutputFilter="$[1]").output(BATCH, b"1,2\n3,4\n") == b"2\n4\n"


def test_a_join_needs_a_prediction_for_each_record() -> None:
    with pytest.raises(AssociationError, match="2 records have 1 predictions"):
        processing(JoinSource="Input").output(BATCH, b"0.5\n")


COLUMNS = st.lists(st.text('a1." ,', max_size=3), min_size=1, max_size=5)
RECORDS = st.lists(COLUMNS.map(join_csv), min_size=1, max_size=4)


@pytest.mark.parametrize("text", ["$", "$[0:]", "$[1:]", "$[3:-1]", "$[:2]"])
@given(batch=RECORDS)
def test_a_filter_gives_the_same_for_a_batch_as_for_each_column(text: str, batch: list[bytes]) -> None:
    """Records without quotes are not taken apart; that makes no difference."""
    selected = [join_csv(parse_filter(text)(split_csv(record))) for record in batch]

    assert processing(InputFilter=text).payload(batch).split(b"\n") == (batch if text == "$" else selected)


@given(batch=RECORDS)
def test_a_join_gives_the_same_for_a_batch_as_for_each_column(batch: list[bytes]) -> None:
    response = b"".join(b"%d.5\n" % number for number in range(len(batch)))

    joined = [join_csv([*split_csv(record), f"{number}.5"]) for number, record in enumerate(batch)]

    assert processing(JoinSource="Input").output(batch, response) == b"".join(line + b"\n" for line in joined)
