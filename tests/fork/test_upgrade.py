"""Forks from earlier commits of this repository, with other names, can be upgraded to the current version."""

import json
from pathlib import Path

import pytest

from helpers.template.git import Git
from helpers.template.parts import parts_of
from tests.checkout import Checkout
from tests.fork.forks import PROJECT, copy_working_tree, git

AGES = (2, 40)
"""How many commits before the current version forks are created."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Git:
    """The repository with its history, and uncommitted changes as its newest commit."""
    folder = tmp_path_factory.mktemp("upgrade") / "template"
    copy_working_tree(repository, folder)
    git("add", "--all", at=folder)
    git("commit", "--quiet", "--allow-empty", "--message", "Newest", at=folder)
    git("branch", "newest", at=folder)
    return Git(folder)


@pytest.mark.parametrize("age", AGES)
def test_a_renamed_fork_has_the_newest_template_and_its_own_changes(
    age: int, template: Git, tmp_path: Path
) -> None:
    """Created with "Use this template", without history. Only the fork's changes differ afterwards."""
    start = template.commit(f"HEAD~{age}")
    if start is None:
        pytest.skip(f"the history has no {age} commits; fetch it, as ci does")
    fork = Git(tmp_path / "fork")
    git("worktree", "add", "--quiet", "--detach", str(fork.folder), start, at=template.folder)
    (fork.folder / ".git").unlink()
    git("init", "--quiet", "--initial-branch=main", at=fork.folder)
    commit_all(fork, "Initial commit")
    (fork.folder / "infra" / "project.json").write_text(json.dumps(PROJECT, indent=2) + "\n")
    previews = next(part for part in parts_of(template.folder) if part.answer == "Previews")
    for path in previews.files:
        (fork.folder / path).unlink(missing_ok=True)
    text = fork.folder / "LICENSE"
    text.write_text(f"{text.read_text()}\nForked.\n")
    commit_all(fork, "Rename the project, delete previews, change a text")
    changed = set(fork("diff", "--name-only", "HEAD~1").splitlines())

    code, output = upgraded(template, fork)

    assert code == 0, output
    assert set(fork("diff", "--name-only", template("rev-parse", "HEAD")).splitlines()) == {
        *changed,
        ".template.json",
    }
    assert json.loads((fork.folder / "infra" / "project.json").read_text()) == PROJECT
    assert text.read_text().endswith("\nForked.\n")
    assert fork("status", "--porcelain") == ""


def commit_all(fork: Git, message: str) -> None:
    git("add", "--all", at=fork.folder)
    git("commit", "--quiet", "--message", message, at=fork.folder)


def upgraded(template: Git, fork: Git) -> tuple[int, str]:
    """Run `make upgrade` in the template's checkout, because the fork does not have the command yet."""
    checkout = Checkout(template.folder)
    checkout.environment |= {
        f"GIT_{who}_{what}": "fork" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    return checkout.make("upgrade", "TO=newest", f"FORK={fork.folder}")
