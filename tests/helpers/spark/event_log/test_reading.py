"""Event logs in all forms: compressed, rolled, in S3, truncated, damaged, or other files."""

import gzip
import json
import os
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from helpers.local_aws.spark_container import configuration as container_configuration
from helpers.spark.event_log import reading, summarize
from helpers.spark.event_log.__main__ import main
from helpers.spark.event_log.configuration import updated
from helpers.spark.event_log.reading import EventLogError, lines
from tests.helpers.spark.event_log.conftest import beginning, executor, log, plan, removal, task

LARGE = [task(0, 0, 9.0, input=1024) for _ in range(4)]
EVENTS = log(executor(), *(task(start=start) for start in range(9)))


def write(path: Path, events: list[bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(events))
    return path


def test_gzip_also_of_several_members(tmp_path: Path) -> None:
    members = [gzip.compress(line) for line in EVENTS]

    assert list(lines(write(tmp_path / "app-1.gz", members))) == EVENTS


def test_damage_between_lines_is_reported_with_its_line(tmp_path: Path) -> None:
    file = write(tmp_path / "app-1", [*EVENTS[:4], b"\0\0\0\n", *EVENTS[4:]])

    with pytest.raises(EventLogError, match=f"{file}: damaged in line 5 or after it"):
        list(lines(file))


@pytest.mark.parametrize(
    "content",
    [
        b"sex,length,rings\n",
        b"\x89PNG\r\n" + bytes(100),
        b'{"id":1}\n',
        b'{"type":"Event","Event":1}\n',
        b"[]",
    ],
)
def test_another_file_is_rejected(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(EventLogError, match="this is not an event of Spark"):
        list(lines(write(tmp_path / "log", [content])))


def test_an_event_without_what_it_always_has_is_reported(tmp_path: Path) -> None:
    file = write(tmp_path / "app-1", [*EVENTS[:3], b'{"Event":"SparkListenerTaskEnd","Stage ID":"x"}\n'])

    with pytest.raises(EventLogError, match=rf"event 4 of {file} cannot be read: .*Stage ID"):
        summarize(file)


@pytest.mark.parametrize(
    ("event", "key", "name"),
    [
        ("SparkListenerTaskEnd", "Task End Reason", "Description"),  # for an exception without a message
        ("SparkListenerTaskEnd", "Task End Reason", "Loss Reason"),
        ("SparkListenerTaskEnd", "Task Metrics", "Shuffle Read Metrics"),
        ("SparkListenerExecutorRemoved", None, "Removed Reason"),
        ("org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart", "sparkPlanInfo", "metadata"),
    ],
)
def test_what_is_null_is_missing(tmp_path: Path, event: str, key: str | None, name: str) -> None:
    lines = log(
        executor(),
        task(reason="ExceptionFailure", error={"Class Name": "java.lang.NullPointerException"}),
        task(),
        removal("1", 9.0, "lost"),
        plan(1, (2, "in")),
    )
    parsed = [json.loads(line) for line in lines]
    changed = [each for each in parsed if each["Event"] == event]
    assert changed
    for each in changed:
        (each[key] if key else each)[name] = None

    encoded = [json.dumps(each).encode() + b"\n" for each in parsed]

    assert summarize(write(tmp_path / "app-1", encoded)).task_seconds == 2.0


@pytest.mark.parametrize("cut", [0, 2, 100])
def test_a_log_without_its_end_is_read_and_marked_as_incomplete(tmp_path: Path, cut: int) -> None:
    content = b"".join(EVENTS[:-1])
    file = write(tmp_path / "app-1.inprogress", [content[: len(content) - cut]])

    summary = summarize(file)

    assert not summary.complete
    assert summary.seconds == (9.0 if cut == 0 else 8.0)
    assert summary.task_seconds == (9.0 if cut == 0 else 8.0)


def test_a_log_without_its_start_is_reported(tmp_path: Path) -> None:
    with pytest.raises(EventLogError, match="app-1 ends before the application starts"):
        summarize(write(tmp_path / "app-1", beginning()[:2]))


def test_a_rolled_log_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "eventlog_v2_app-1"
    for number in range(1, 12):
        write(folder / f"events_{number}_app-1", EVENTS[number - 1 : number] if number < 11 else EVENTS[10:])
    write(folder / "appstatus_app-1.inprogress", [])

    assert list(lines(folder)) == EVENTS
    assert list(lines(tmp_path)) == EVENTS, "the folder above"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (["events_1_a", "events_3_a"], "parts 1 to 3 .* there are 1, 3"),
        (["events_2_a", "events_3_a"], "parts 1 to 3 .* there are 2, 3"),
        (["events_1_a", "events_2_a", "events_2_a.gz"], "parts 1 to 2 .* there are 1, 2, 2"),
        (["events_4_a.compact", "events_6_a"], "parts 4 to 6 .* there are 4, 6"),
    ],
)
def test_a_rolled_log_without_one_of_its_parts_is_rejected(
    tmp_path: Path, parts: list[str], message: str
) -> None:
    folder = tmp_path / "eventlog_v2_a"
    for part in [*parts, "appstatus_a"]:
        write(folder / part, EVENTS)

    with pytest.raises(EventLogError, match=f"{folder}: .*{message}"):
        list(lines(tmp_path))


def test_a_part_that_breaks_off_before_the_next_is_rejected(tmp_path: Path) -> None:
    folder = tmp_path / "eventlog_v2_a"
    write(folder / "events_1_a", [*EVENTS[:4], EVENTS[4][:50]])
    write(folder / "events_2_a", EVENTS[5:])

    with pytest.raises(EventLogError, match="events_1_a: damaged in line 5 or after it: it breaks off"):
        list(lines(folder))


def test_parts_without_a_last_newline_are_whole(tmp_path: Path) -> None:
    folder = tmp_path / "eventlog_v2_a"
    write(folder / "events_1_a", [b"".join(EVENTS[:4]).rstrip()])
    write(folder / "events_2_a", [b"".join(EVENTS[4:]).rstrip()])

    assert summarize(folder) == summarize(write(tmp_path / "app-1", EVENTS))


@pytest.mark.parametrize("ending", [b"", b"\r\n", b" \n"])
def test_a_whole_log_is_complete_however_its_last_line_ends(tmp_path: Path, ending: bytes) -> None:
    assert summarize(write(tmp_path / "app-1", [*EVENTS[:-1], EVENTS[-1].rstrip() + ending])).complete


@pytest.mark.parametrize(
    "again",
    [
        json.dumps,
        lambda members: json.dumps(members, sort_keys=True),
        lambda members: json.dumps(dict(reversed(members.items())), separators=(",", ":")),
        lambda members: " " + json.dumps(members, separators=(" , ", " : ")),
    ],
)
def test_a_log_that_another_tool_has_rewritten(tmp_path: Path, again: Callable[..., str]) -> None:
    rewritten = [again(json.loads(line)).encode() + b"\n" for line in EVENTS]

    assert summarize(write(tmp_path / "rewritten", rewritten)) == summarize(write(tmp_path / "app-1", EVENTS))


def test_a_compacted_log_begins_where_it_was_compacted(tmp_path: Path) -> None:
    folder = tmp_path / "eventlog_v2_app-1"
    write(folder / "events_1_app-1", [b"old"])
    write(folder / "events_2_app-1.compact", EVENTS[:5])
    write(folder / "events_3_app-1", EVENTS[5:])

    assert list(lines(folder)) == EVENTS


def test_of_a_folder_the_newest_log_is_read(tmp_path: Path) -> None:
    write(tmp_path / "app-2", EVENTS)
    older = write(tmp_path / "app-3", beginning())
    os.utime(older, (1, 1))

    assert list(lines(tmp_path)) == EVENTS


@pytest.mark.parametrize("source", ["nothing/there", "hdfs://host/logs", "s3://bucket/logs"])
def test_a_missing_log_is_reported(source: str) -> None:
    with pytest.raises(EventLogError, match=source):
        list(lines(source))


def test_an_empty_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(EventLogError, match="there is no Spark event log"):
        list(lines(tmp_path))


@pytest.fixture
def bucket(aws: boto3.Session) -> str:
    aws.client("s3").create_bucket(Bucket="event-logs")
    return "event-logs"


def test_logs_in_s3(aws: boto3.Session, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = aws.client("s3")
    monkeypatch.setattr(reading, "_RANGE", 1000)  # several requests per log
    for key, events in {"logs/app-1": EVENTS, "logs-of-others/app-9": beginning()}.items():
        s3.put_object(Bucket=bucket, Key=key, Body=b"".join(events))
    rolled = "rolled/eventlog_v2_app-2/events_1_app-2"
    s3.put_object(Bucket=bucket, Key=rolled, Body=b"".join(EVENTS))

    for source in ("s3://event-logs/logs/app-1", "s3a://event-logs/logs", "s3://event-logs/rolled/"):
        assert list(lines(source, s3)) == EVENTS, source
    assert list(lines("s3://event-logs/rolled/eventlog_v2_app-2", s3)) == EVENTS
    with pytest.raises(EventLogError, match="there is no such bucket"):
        list(lines("s3://no-such-bucket-here/logs", s3))
    with pytest.raises(EventLogError, match="there is no Spark event log"):
        list(lines("s3://event-logs/log", s3))


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    def peak(tasks: int) -> int:
        events = (task(start=number / 100, seconds=1 + number % 7) for number in range(tasks))
        file = write(tmp_path / f"app-{tasks}", log(executor(), *events))
        tracemalloc.start()
        try:
            assert summarize(file).task_seconds > tasks
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # one-time allocations
    assert peak(20_000) < peak(2_000) * 1.2


def test_the_command_line_writes_the_next_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = log(executor(), *LARGE, sql_files_maxPartitionBytes="1g")
    source = write(tmp_path / "app-1", events)
    target = tmp_path / "configuration.json"
    target.write_text('[{"Classification": "core-site", "Properties": {"a": "b"}}]')

    code = main([str(source), "--write", str(target)])

    output = capsys.readouterr().out
    assert code == 0
    assert re.search(r"spark\.sql\.files\.maxPartitionBytes = 128m \(was 1g\)", output)
    assert f"Wrote 1 setting to {target}." in output
    assert '"a": "b"' in target.read_text()
    assert '"spark.sql.files.maxPartitionBytes": "128m"' in target.read_text()


def test_of_a_classification_that_is_there_twice_the_effective_one_is_written() -> None:
    twice = [
        {"Classification": "spark-defaults", "Properties": properties}
        for properties in ({"spark.executor.memory": "1g"}, {"spark.executor.memory": "2g"})
    ]

    written = container_configuration.parse(
        updated(json.dumps(twice), {"spark.executor.memory": "3g"}, "file")
    )

    assert written == {"spark-defaults": {"spark.executor.memory": "3g"}}


@pytest.mark.parametrize(
    "content", ["[", '"text"', '[{"Classification": "spark-defaults", "Properties": 1}]']
)
def test_an_invalid_configuration_is_not_changed(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "app-1", log(executor(), *LARGE, sql_files_maxPartitionBytes="1g"))
    target = tmp_path / "configuration.json"
    target.write_text(content)

    code = main([str(source), "--write", str(target)])

    assert code == 1
    assert f"Error: {target}" in capsys.readouterr().err
    assert target.read_text() == content
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.fixture
def summary_of_events(tmp_path: Path) -> Callable[..., object]:
    return lambda *events, **more: summarize(write(tmp_path / "app-1", log(*events, **more)))


def test_a_summary_counts_each_thing_once(summary_of_events: Callable[..., object]) -> None:
    summary = summary_of_events(
        executor("1", 4),
        executor("2", 4, start=1),
        task(0, 1.0, 2.0, input=3, written=2),
        task(0, 1.5, 2.0, input=3, written=2),
        task(1, 6.0, 1.0, "ExceptionFailure", shuffled=4),
        task(1, 6.0, 2.0, shuffled=4, output=5),
        seconds=10,
    )

    mib = 1 << 20
    assert summary.application_id == "app-1"
    assert (summary.seconds, summary.slots, summary.executors) == (10.0, 8, 2)
    assert summary.task_seconds == 7.0
    assert summary.driver_seconds == 10 - 2.5 - 2
    assert (summary.input_bytes, summary.shuffle_bytes, summary.output_bytes) == (6 * mib, 4 * mib, 5 * mib)
    assert summary.complete
