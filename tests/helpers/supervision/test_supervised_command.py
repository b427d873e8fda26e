"""A supervised command: no process survives its end, its stop, or its caller."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from helpers.supervision import supervised_command, supervisor

ENVIRONMENT = {"PATH": os.environ["PATH"]}
# A child in a separate process group that ignores SIGTERM, like a stuck Python worker of Spark.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], process_group=0)
print(os.getpid(), child.pid, flush=True)
time.sleep(float(sys.argv[1]))
"""


def run(tmp_path: Path, *command: str, stop: threading.Event | None = None) -> tuple[int, list[str]]:
    lines: list[str] = []
    code = supervised_command.run(
        command, ENVIRONMENT, tmp_path, lines.append, stop or threading.Event(), 0.5
    )
    return code, lines


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 20 s"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_output_exit_code_folder_and_environment_are_the_commands(tmp_path: Path) -> None:
    code, lines = run(tmp_path, "sh", "-c", 'pwd; env; echo "é" >&2; exit 3')
    assert code == 3
    assert lines[0] == str(tmp_path)
    assert "é" in lines
    names = {line.partition("=")[0] for line in lines if "=" in line}
    assert names <= {"PATH", "PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}


def test_a_command_ended_by_a_signal_has_the_code_that_shells_give(tmp_path: Path) -> None:
    assert run(tmp_path, "sh", "-c", "kill -9 $$")[0] == 137


def test_what_a_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    code, lines = run(tmp_path, sys.executable, "-c", STUBBORN, "0")
    assert code == 0
    assert not any(alive(int(pid)) for pid in lines[0].split())


@pytest.mark.skipif(sys.platform != "linux", reason="only there orphans are adopted")
def test_an_orphan_that_has_ended_is_collected(tmp_path: Path) -> None:
    # The shell in between ends before its child, whose number it prints.
    script = 'orphan=$(sh -c "sleep 0.1 & echo \\$!"); while test -e /proc/$orphan; do sleep 0.05; done'

    code, _ = run(tmp_path, "timeout", "20", "sh", "-c", script)

    assert code == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only there sessions of descendants are found")
def test_what_has_a_session_of_its_own_is_ended_too(tmp_path: Path) -> None:
    """For example, containers of YARN."""
    _, lines = run(tmp_path, "sh", "-c", "setsid sleep 300 > /dev/null & echo $!")

    assert not alive(int(lines[0]))


def test_a_stop_ends_all_of_it_even_what_ignores_sigterm(tmp_path: Path) -> None:
    stop = threading.Event()
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        stop.set()

    command = [sys.executable, "-c", STUBBORN, "300"]
    code = supervised_command.run(command, ENVIRONMENT, tmp_path, hear, stop, grace=0.3)
    assert code == 128 + signal.SIGKILL
    assert not any(alive(int(pid)) for pid in lines[0].split())


def test_a_supervisor_that_is_killed_leaves_nothing_either(tmp_path: Path) -> None:
    pids: list[int] = []

    def hear(line: str) -> None:
        pids.extend(map(int, line.split()))
        os.kill(psutil.Process(pids[0]).ppid(), signal.SIGKILL)

    command = [sys.executable, "-c", STUBBORN, "300"]
    supervised_command.run(command, ENVIRONMENT, tmp_path, hear, threading.Event())
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


def test_a_caller_that_is_killed_takes_all_of_it_along(tmp_path: Path) -> None:
    program = (
        "import sys, threading; from pathlib import Path;"
        "from helpers.supervision import supervised_command;"
        f"supervised_command.run([sys.executable, '-c', {STUBBORN!r}, '300'], {ENVIRONMENT!r}, Path('.'),"
        "lambda line: print(line, flush=True), threading.Event(), 0.3)"
    )
    caller = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    pids = [int(pid) for pid in caller.stdout.readline().split()]
    assert all(alive(pid) for pid in pids)
    caller.kill()
    caller.wait()
    caller.stdout.close()
    wait_for(lambda: not any(alive(pid) for pid in pids))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_supervisor_that_is_asked_to_go_stops_the_command(tmp_path: Path, number: int) -> None:
    pids: list[int] = []

    def hear(line: str) -> None:
        pids.extend(map(int, line.split()))
        os.kill(psutil.Process(pids[0]).ppid(), number)

    command = [sys.executable, "-c", STUBBORN, "300"]
    code = supervised_command.run(command, ENVIRONMENT, tmp_path, hear, threading.Event(), grace=0.3)
    assert code == 137
    assert not any(alive(pid) for pid in pids)


def test_only_harmless_variables_are_inherited() -> None:
    parent = {"PATH": "/bin", "LANG": "C", "AWS_PROFILE": "prod", "SPARK_HOME": "/x", "PYTHONPATH": "/y"}
    assert supervised_command.inherited(parent) == {"PATH": "/bin", "LANG": "C"}
    assert supervised_command.inherited().items() <= os.environ.items()


@pytest.mark.parametrize(
    ("stdin", "script", "code"), [(subprocess.PIPE, "exit 5", 5), (subprocess.DEVNULL, "sleep 300", 143)]
)
def test_the_supervisor_works_as_a_script(stdin: int, script: str, code: int) -> None:
    command = [sys.executable, supervisor.__file__, "5", "sh", "-c", script]
    with subprocess.Popen(command, stdin=stdin, start_new_session=True) as process:
        assert process.wait(30) == code


def test_both_ways_to_list_processes_agree() -> None:
    ours = {os.getpid(), os.getppid()}
    assert ours <= set(supervisor._parents_by_ps())
    assert ours <= set(supervisor._parents_by_proc())


def test_members_are_those_of_the_session() -> None:
    other = subprocess.Popen(["sleep", "300"], start_new_session=True)
    try:
        assert supervisor.members(other.pid) == [other.pid]
    finally:
        other.kill()
        other.wait()
