"""Real logs of each Spark version, compressed, and rolled since 4.0; see versions/generate.py."""

from pathlib import Path

import pytest

from helpers.spark.event_log.events import TaskEnd, parse
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import Profile, read
from helpers.spark.event_log.reading import lines
from helpers.spark.event_log.summary import summary_of

LOGS = Path(__file__).with_name("versions")
VERSIONS = sorted(folder.name for folder in LOGS.iterdir() if folder.is_dir())
TABLE = 148_890
"""Bytes of the table's files."""


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def run(version: str) -> Profile:
    return read(LOGS / version)


def test_there_is_a_log_of_each_version_that_writes_them_differently() -> None:
    assert [name.rpartition(".")[0] for name in VERSIONS] == ["3.2", "3.3", "3.4", "3.5", "4.0", "4.1"]


def test_a_version_is_read_to_its_end(run: Profile, version: str) -> None:
    summary = summary_of(run)

    assert run.spark_version == version
    assert summary.complete
    assert (summary.slots, summary.executors) == (2, 1)
    assert summary.application_id.startswith("local-")
    assert summary.output_bytes == TABLE
    assert summary.scanned_bytes == TABLE
    assert summary.shuffle_bytes > 0
    assert 0 < summary.task_seconds < 2 * summary.seconds


def test_stages_have_the_tasks_that_spark_planned(run: Profile) -> None:
    assert {stage.id: stage.partitions for stage in run.stages.values()} == {
        stage.id: stage.tasks for stage in run.stages.values()
    }
    assert not any(stage.failed or stage.killed for stage in run.stages.values())


def test_a_scan_is_known_to_the_stages_that_run_it(run: Profile) -> None:
    assert {bool(stage.scans) for stage in run.stages.values() if stage.input} == {True}
    assert {scan.size for scan in run.scans.values()} == {TABLE}


def test_no_finding_promises_more_than_the_log_spent(run: Profile, version: str) -> None:
    task_ends = [event for event in parse(lines(LOGS / version)) if isinstance(event, TaskEnd)]
    read_bytes = sum(event.metrics.input.read for event in task_ends if event.metrics)
    found = findings(run)

    assert found
    assert all(0 <= finding.seconds <= (run.ended - run.started) / 1000 for finding in found)
    scans = next(finding for finding in found if finding.kind == "repeated scans")
    again = float(scans.impact.removeprefix("up to ").removesuffix(" kB less to read")) * 1000
    assert 0 < again < read_bytes - TABLE + 100, "show() and first() did not read the whole table"


def test_python_workers_are_timed_since_4_0(run: Profile, version: str) -> None:
    timed = [stage for stage in run.stages.values() if stage.python_start_ms]

    assert bool(timed) is (version >= "4")
    assert all(stage.python_start_ms + stage.python_run_ms <= 1.1 * stage.run_ms for stage in timed)
