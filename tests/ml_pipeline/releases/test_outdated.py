"""An outdated deployment does not replace a newer definition of a pipeline."""

import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from helpers.errors import UserError
from ml_pipeline.definitions import Registration
from ml_pipeline.executions.target import Target
from ml_pipeline.releases.outdated import MARK, reject_outdated
from ml_pipeline.releases.registration import upsert
from ml_pipeline.releases.revision import descends
from tests.ml_pipeline.releases.test_revision import git

DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Steps": [{"Name": "give-up", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}],
    }
)


@pytest.fixture
def commits(tmp_path: Path) -> tuple[Path, str, str, str]:
    """A repository with two consecutive commits, and a third one parallel to the second."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")

    def commit(name: str) -> str:
        git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", name)
        return git(tmp_path, "rev-parse", "HEAD")

    first = commit("First")
    second = commit("Second")
    git(tmp_path, "checkout", "--quiet", "-b", "side", first)
    return tmp_path, first, second, commit("Beside")


@pytest.fixture
def registered_from(
    stack: boto3.Session, role: str, target_of: Callable[..., Target]
) -> Callable[[str], Target]:
    """Registers a pipeline from a commit."""

    def make(commit: str) -> Target:
        name = f"registered-{uuid4().hex}"
        upsert(
            stack.client("sagemaker"), name, Registration(DEFINITION, "Does nothing.", role, {MARK: commit})
        )
        return target_of("trial", name)

    return make


def test_a_commit_descends_from_those_in_its_history(commits: tuple[Path, str, str, str]) -> None:
    root, first, second, beside = commits

    assert descends(second, first, root)
    assert descends(second, second, root)
    assert descends(f"{second}-dirty", f"{first}-dirty", root)
    assert descends(first, second, root) is False
    assert descends(beside, second, root) is False
    assert descends(second, "0" * 40, root) is None
    assert descends(second, "unknown", root) is None


def test_a_checkout_without_history_reports_what_it_needs(
    commits: tuple[Path, str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root, first, second, _ = commits
    shallow = tmp_path_factory.mktemp("shallow")
    git(shallow, "clone", "--quiet", "--depth", "1", "--branch", "main", f"file://{root}", ".")

    with pytest.raises(UserError, match="no history to look into\nHint: Fetch it with: git fetch"):
        descends(second, first, shallow)


def test_what_is_newer_may_be_deployed(
    stack: boto3.Session, commits: tuple[Path, str, str, str], registered_from: Callable[[str], Target]
) -> None:
    root, first, second, _ = commits
    target = registered_from(first)

    found = reject_outdated(stack.client("sagemaker"), [target], second, root)

    assert found == [f"{second} descends from {first}, the commit of {target.name}."]


@pytest.mark.parametrize("which", [1, 3], ids=["older", "beside"])
def test_what_does_not_descend_is_rejected(
    stack: boto3.Session,
    commits: tuple[Path, str, str, str],
    registered_from: Callable[[str], Target],
    which: int,
) -> None:
    root, second, new = commits[0], commits[2], commits[which]
    fine, overtaken = registered_from(str(commits[1])), registered_from(second)

    with pytest.raises(UserError) as raised:
        reject_outdated(stack.client("sagemaker"), [fine, overtaken], str(new), root)

    assert f"{new} is outdated, and nothing was deployed" in str(raised.value)
    assert f"{overtaken.name} is registered from {second}" in str(raised.value)
    assert fine.name not in str(raised.value)
    assert "the workflow rollback" in str(raised.value)


def test_what_nobody_merged_is_not_a_reason_to_stop(
    stack: boto3.Session,
    commits: tuple[Path, str, str, str],
    registered_from: Callable[[str], Target],
    target_of: Callable[..., Target],
) -> None:
    """For example, an upsert from a branch that was squashed, or a pipeline that is not registered."""
    root, _, second, _ = commits
    foreign = registered_from("0" * 40)
    missing = target_of("trial", "never-registered")

    found = reject_outdated(stack.client("sagemaker"), [foreign, missing], second, root)

    assert found == [
        f"{foreign.name} is registered from {'0' * 40}, which is not in this repository.",
        "never-registered is not registered yet.",
    ]
