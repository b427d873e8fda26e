"""`make secrets` finds secrets that are committed or staged."""

import secrets
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
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


def secrets_found(folder: Path) -> bool:
    """Run this Makefile's target `secrets` in another repository, with the installed tools."""
    program = shutil.which("gitleaks")
    assert program
    tools = Path(program).parents[1]
    command = ["make", f"--file={ROOT / 'Makefile'}", f"--old-file={tools}/ready", f"SECURITY={tools}"]
    run = subprocess.run(
        [*command, "secrets"], cwd=folder, check=False, capture_output=True, text=True, timeout=60
    )
    found = "leaks found: 1" in run.stderr
    assert found == (run.returncode != 0), run.stderr
    return found


def plant(folder: Path) -> None:
    key = "AKIA" + "".join(secrets.choice(ALPHABET) for _ in range(16))
    (folder / "settings.py").write_text(f'aws_access_key_id = "{key}"\n', encoding="utf-8")
    git(folder, "add", "settings.py")


def test_a_repository_without_secrets_passes(repository: Path) -> None:
    assert not secrets_found(repository)


def test_a_staged_secret_is_found_before_it_is_committed(repository: Path) -> None:
    plant(repository)

    assert secrets_found(repository)


def test_a_secret_stays_found_after_it_was_deleted(repository: Path) -> None:
    plant(repository)
    git(repository, "commit", "-qm", "second")
    git(repository, "rm", "-q", "settings.py")
    git(repository, "commit", "-qm", "third")

    assert secrets_found(repository)


def test_every_commit_looks_for_secrets() -> None:
    (own,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    (hook,) = (hook for hook in own["hooks"] if hook["entry"] == "make secrets")

    assert (hook["always_run"], hook["pass_filenames"]) == (True, False)
    assert hook["stages"] == ["pre-commit"]
