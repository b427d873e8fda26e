"""What clusters leave behind, and what is said of a JVM that does not start."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.local_aws.hadoop.clusters import new_folder
from helpers.local_aws.hadoop.java_process import JavaProcess
from helpers.spark import java


def test_files_of_a_killed_server_are_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen(["true"])
    ended.wait()
    folders = {
        "of an ended process": tmp_path / f"hadoop-of-{ended.pid}-a",
        "of this process": tmp_path / f"hadoop-of-{os.getpid()}-b",
        "of somebody else": tmp_path / "hadoop-of-mine-c",
    }
    for folder in folders.values():
        (folder / "1").mkdir(parents=True)

    created = new_folder()

    assert created.parent == tmp_path
    assert created.name.startswith(f"hadoop-of-{os.getpid()}-")
    assert {name for name, folder in folders.items() if not folder.exists()} == {"of an ended process"}


def test_a_java_that_does_not_start_is_an_error_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Java did not start: .*NoSuchOption"):
        JavaProcess(java.java_home(), [], ["-XX:+NoSuchOption"], tmp_path)
