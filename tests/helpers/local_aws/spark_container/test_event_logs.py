"""How event logs and the output of executors are copied for users."""

import threading
from pathlib import Path

from helpers.local_aws.spark_container.event_logs import ContainerLogs, Repeated, copy_event_logs


def test_event_logs_are_copied_without_the_mark_of_running(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "events" / "logs"
    (source / "eventlog_v2_rolling").mkdir(parents=True)
    (source / "app-1.inprogress").write_text("first")
    (source / ".app-1.crc").touch()
    copy_event_logs(source, target)
    assert [(file.name, file.read_text()) for file in target.iterdir()] == [("app-1", "first")]
    (source / "app-1.inprogress").rename(source / "app-1")
    (source / "app-1").write_text("first and last")
    copy_event_logs(source, target)
    assert [(file.name, file.read_text()) for file in target.iterdir()] == [("app-1", "first and last")]
    assert [path.name for path in target.parent.iterdir()] == ["logs"]


def test_no_event_logs_are_not_a_fault(tmp_path: Path) -> None:
    copy_event_logs(tmp_path / "none", tmp_path / "target")
    assert list((tmp_path / "target").iterdir()) == []


def test_an_action_is_repeated_and_done_a_last_time_at_the_end() -> None:
    twice, calls = threading.Event(), []

    def action() -> None:
        calls.append(1)
        if len(calls) == 2:
            twice.set()

    with Repeated(action, 0.01):
        assert twice.wait(10)
    with Repeated(calls.clear, 3600):
        pass
    assert calls == []


def test_lines_of_containers_are_logged_once_and_whole(tmp_path: Path) -> None:
    container = tmp_path / "application_1_0001" / "container_1_0001_01_000002"
    container.mkdir(parents=True)
    (container / "launch_container.sh").write_text('exec java "--executor-id 1 --hostname algo"')
    lines: list[tuple[str, str]] = []
    logs = ContainerLogs({"algo-2": tmp_path}, lambda line, host="": lines.append((line, host)))
    stderr = container / "stderr"
    stderr.write_text("one\ntw")
    logs.follow()
    stderr.write_text(stderr.read_text() + "o\n")
    logs.follow()
    logs.follow()
    assert lines == [("[executor 1] one", "algo-2"), ("[executor 1] two", "algo-2")]
