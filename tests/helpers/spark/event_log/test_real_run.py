"""A real run with every problem: its findings, and its log in each of Spark's codecs.

All tests are in one file, so that one worker runs the job.
"""

import os
from pathlib import Path

import pytest

from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import read
from helpers.spark.event_log.reading import EventLogError, lines
from helpers.spark.event_log.rules.finding import Finding
from tests.log_readers import with_json, with_our_reader

pytestmark = pytest.mark.timeout(300)  # on a busy machine, the job takes minutes

CODECS = ("lz4", "lzf", "snappy", "zstd")


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def of_failing_run(failing_run) -> dict[str, Finding]:
    return {finding.kind: finding for finding in findings(read(failing_run / "logs"))}


def test_a_real_task_that_spills(of_failing_run) -> None:
    spill = of_failing_run["spill"]

    assert "MB to disk" in spill.evidence
    assert "the job gives their number itself" in spill.recommendation, "repartition(4)"
    assert not spill.settings


def test_a_real_key_that_is_skewed(of_failing_run, failing_run) -> None:
    skew = of_failing_run["skew"]
    stage = read(failing_run / "logs").stages[skew.stage]

    assert stage.longest_ms > 3 * stage.median_ms
    assert "; it read" in skew.evidence
    assert skew.settings["spark.sql.adaptive.enabled"] == "true"


def test_a_real_task_that_fails(of_failing_run) -> None:
    failed = of_failing_run["failed tasks"]

    assert failed.evidence == "1 of 3 attempts; the last: PythonException: ValueError: on purpose"
    assert not failed.settings, "no setting fixes an exception"


def test_a_real_source_that_is_scanned_again_and_cached_rows_that_are_not(of_failing_run) -> None:
    scans = of_failing_run["repeated scans"]

    assert scans.evidence.startswith("3 scans of InMemoryFileIndex(1 paths)[file:")
    assert "/source] read" in scans.evidence


def test_the_readers_that_ours_is_measured_against_learn_the_same(failing_run) -> None:
    (log,) = (failing_run / "logs").iterdir()

    assert with_json(log) > 0
    assert with_our_reader(log) == pytest.approx(with_json(log))


@pytest.mark.parametrize("codec", CODECS)
def test_what_spark_compresses_reads_as_what_it_does_not(failing_run: Path, codec: str) -> None:
    plain = list(lines(failing_run / "plain"))

    assert len(plain) == 30
    assert list(lines(failing_run / f"plain.{codec}")) == plain


@pytest.mark.parametrize("codec", CODECS)
def test_a_compressed_log_that_breaks_off_ends_there(failing_run: Path, tmp_path: Path, codec: str) -> None:
    whole = (failing_run / f"plain.{codec}").read_bytes()
    plain = list(lines(failing_run / "plain"))

    part = list(lines(written(tmp_path / f"app-1.{codec}.inprogress", whole[:-300])))

    assert 0 < len(part) < len(plain)
    assert part == plain[: len(part)]


@pytest.mark.parametrize("codec", CODECS)
def test_damage_is_reported(failing_run: Path, tmp_path: Path, codec: str) -> None:
    content = bytearray((failing_run / f"plain.{codec}").read_bytes())
    content[20:400] = os.urandom(380)
    if codec == "lz4":
        content[0] = 0

    with pytest.raises(EventLogError, match=rf"app-1\.{codec}: damaged in line \d+ or after it"):
        list(lines(written(tmp_path / f"app-1.{codec}", bytes(content))))
