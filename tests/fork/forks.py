"""Creates forks of the working tree, and runs their tests."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.checkout import VIRTUAL_ENVIRONMENT, Checkout

PROJECT = {
    "ProjectName": "city-trips",
    "Owner": "mobility",
    "Repository": "city-of-somewhere/trips",
    "Region": "eu-west-1",
}


def copy_working_tree(repository: Path, folder: Path) -> None:
    """Clone HEAD, and copy uncommitted files with their times, since make compares those of requirements."""
    git("clone", "--quiet", str(repository), str(folder), at=repository)
    # A link to the one of the tests, which .gitignore does not match.
    (folder / ".git" / "info" / "exclude").write_text(".venv\n")
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", at=repository)
    for name in filter(None, listed.split("\0")):
        source, target = repository / name, folder / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        else:
            target.unlink(missing_ok=True)


def git(*words: str, at: Path) -> str:
    names = ("-c", "user.name=fork", "-c", "user.email=fork@users.noreply.github.com")
    return subprocess.run(["git", *names, *words], cwd=at, check=True, capture_output=True, text=True).stdout


def committed(fork: Checkout) -> Iterator[Checkout]:
    git("add", "--all", at=fork.folder)
    git("commit", "--quiet", "--message", "Fork", at=fork.folder)
    yield fork
    fork.make("down")


def assert_tests_pass(fork: Checkout, *words: str) -> None:
    """Run tests of a fork in a separate process."""
    # The profile that protects a user's own configuration is also missing in this process.
    environment = {name: value for name, value in fork.environment.items() if name != "AWS_PROFILE"}
    ran = subprocess.run(
        [VIRTUAL_ENVIRONMENT / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
        cwd=fork.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2_000:]


def lines_with(name: str, fork: Checkout, allowed: Sequence[str]) -> list[str]:
    found = subprocess.run(
        [
            "git",
            "grep",
            "-n",
            "--ignore-case",
            name,
            "--",
            ".",
            *(f":(exclude,glob){each}" for each in allowed),
        ],
        cwd=fork.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode in {0, 1}, found.stderr  # 1: no matches
    return found.stdout.splitlines()
