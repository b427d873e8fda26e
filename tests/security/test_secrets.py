"""The scan of `make secrets` finds a secret that somebody has committed, or is about to."""

import secrets
import subprocess
from pathlib import Path

import pytest

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one harmless commit."""
    (tmp_path / "README.md").write_text("harmless\n", encoding="utf-8")
    for command in (("init", "-q"), ("add", "README.md"), ("commit", "-qm", "first")):
        git(tmp_path, *command)
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, timeout=60)


def scan(folder: Path, *arguments: str) -> int:
    command = ["gitleaks", "git", "--no-banner", "--redact", "--log-level", "warn", *arguments, "."]
    return subprocess.run(command, cwd=folder, check=False, timeout=60).returncode


def plant(folder: Path) -> None:
    key = "AKIA" + "".join(secrets.choice(ALPHABET) for _ in range(16))
    (folder / "settings.py").write_text(f'aws_access_key_id = "{key}"\n', encoding="utf-8")
    git(folder, "add", "settings.py")


def test_a_repository_without_secrets_passes(repository: Path) -> None:
    assert scan(repository) == 0
    assert scan(repository, "--staged") == 0


def test_a_staged_secret_is_found_before_it_is_committed(repository: Path) -> None:
    plant(repository)

    assert scan(repository, "--staged") == 1
    assert scan(repository) == 0  # it is in no commit yet


def test_a_secret_stays_found_after_it_was_deleted(repository: Path) -> None:
    plant(repository)
    git(repository, "commit", "-qm", "second")
    git(repository, "rm", "-q", "settings.py")
    git(repository, "commit", "-qm", "third")

    assert scan(repository) == 1
