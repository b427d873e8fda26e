import subprocess
from pathlib import Path

import pytest

from ml_pipeline.releases.revision import commit


def git(root: Path, *words: str) -> str:
    identity = ("-c", "user.name=me", "-c", "user.email=me@example.com")
    done = subprocess.run(["git", "-C", root, *identity, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("committed")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "First")
    return tmp_path


def test_a_workflow_knows_its_commit(root: Path) -> None:
    assert commit({"GITHUB_SHA": "0123abcd"}, root) == "0123abcd"


def test_git_knows_the_commit_and_whether_something_is_not_committed(root: Path) -> None:
    head = git(root, "rev-parse", "HEAD")

    assert commit({}, root) == head
    (root / "file").write_text("edited")
    assert commit({}, root) == f"{head}-dirty"


def test_a_folder_without_a_repository_of_its_own_has_no_known_commit(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "inside").mkdir()

    assert commit({}, tmp_path_factory.mktemp("plain")) == "unknown"
    assert commit({}, root / "inside") == "unknown"
    monkeypatch.setenv("PATH", "")
    assert commit({}, root) == "unknown"
