"""A fork with the largest set of answers: all parts, other names, and an additional environment.

It follows docs/first-ten-minutes.md, which changes only names; then it gets the environment.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.checkout import VIRTUAL_ENVIRONMENT, Checkout
from tests.fork.forks import assert_tests_pass, copy_working_tree, git, lines_with

TUTORIAL = "docs/first-ten-minutes.md"
TUTORIAL_REPOSITORY = "https://github.com/acme/trips"
SUITES = (
    # Tests that depend on environments and parts; the others pass in the smallest fork.
    "tests/helpers/test_environments.py",
    "tests/helpers/github",
    "tests/workflows/test_static.py",
    "tests/docs",
    "tests/ml_pipeline/pipelines",
    "tests/ml_pipeline/registry/test_group.py",
    "tests/ml_pipeline/scaffolding/test_init.py",
    "tests/ml_pipeline/scaffolding/test_parts.py",
)


class Tutorial(NamedTuple):
    """The results of the first ten minutes."""

    fork: Checkout
    printed: list[str]
    """The output of each shell block of the page, in order."""


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Tutorial]:
    """Follow the page up to its last command, which stops the embedded AWS and runs at the end."""
    folder = tmp_path_factory.mktemp("smallest")
    environment = tutorial_environment(use_this_template(repository, folder / "on-github"), repository)
    blocks = re.findall(r"^```(sh|diff)\n(.*?)^```", (repository / TUTORIAL).read_text(), re.M | re.S)
    (_, clone), *blocks, (_, last) = blocks

    printed = [shell(clone, folder, environment)]
    (name,) = re.findall(r"^cd (\S+)$", clone, re.M)
    fork = folder / name
    bring_environment(fork)
    for kind, block in blocks:
        if kind == "diff":
            subprocess.run(["git", "apply", "-"], cwd=fork, input=block, text=True, check=True)
        else:
            printed.append(shell(block, fork, environment))
    yield Tutorial(Checkout(fork), printed)
    shell(last, fork, environment)


def use_this_template(repository: Path, folder: Path) -> Path:
    """Return a repository like one that GitHub creates from the template: its files without its history."""
    copy_working_tree(repository, folder)
    shutil.rmtree(folder / ".git")
    git("init", "--quiet", "--initial-branch=main", at=folder)
    git("add", "--all", at=folder)
    git("commit", "--quiet", "--message", "Initial commit", at=folder)
    git("config", "receive.denyCurrentBranch", "ignore", at=folder)
    return folder


def tutorial_environment(on_github: Path, repository: Path) -> dict[str, str]:
    """Return an environment in which the repository address of the page leads to this machine."""
    settings = {
        f"url.{on_github}.insteadOf": TUTORIAL_REPOSITORY,
        "user.name": "fork",
        "user.email": "fork@users.noreply.github.com",
    }
    environment = {**Checkout(repository).environment}
    del environment["AWS_PROFILE"]  # `make test` has none either
    for number, (key, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {**environment, "GIT_CONFIG_COUNT": str(len(settings))}


def bring_environment(fork: Path) -> None:
    """Give a clone the virtual environment of the tests, marked up to date, instead of an installation."""
    (fork / ".venv").symlink_to(VIRTUAL_ENVIRONMENT)
    (fork / ".git" / "info" / "exclude").write_text(".venv\n")
    for lock in (*fork.glob("requirements*.txt"), *fork.glob("tests/*/package-lock.json")):
        os.utime(lock, (0, 0))


def shell(script: str, folder: Path, environment: Mapping[str, str]) -> str:
    ran = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{script}{ran.stdout[-10_000:]}"
    return ran.stdout


@pytest.fixture(scope="module")
def renamed(tutorial: Tutorial) -> Checkout:
    return tutorial.fork


def test_the_first_ten_minutes_end_with_a_pull_request(tutorial) -> None:
    fork, printed = tutorial

    (first, second) = (
        output for output in printed if "Execution report: file://" in output and "Status" in output
    )
    assert "estimate-age" not in first
    assert "estimate-age: Succeeded" in second
    assert "1 passed" in second
    branch = git("ls-remote", str(fork.folder.parent / "on-github"), "estimate-age", at=fork.folder)
    assert branch.split()[0] == git("rev-parse", "HEAD", at=fork.folder).strip()
    assert git("status", "--porcelain", at=fork.folder) == ""


def test_a_fork_with_other_names_alone_runs(renamed) -> None:
    renamed.made("workflows", "ARGS=--check")

    assert "is verified" in renamed.made("verify")
    code = ("*.md", "NOTICE", "docs/**", "tests/**")
    assert not lines_with("example-owner", renamed, code)
    named, read = lines_with("pyspark-processing", renamed, code)
    assert named.endswith('"pyspark_process_name": "pyspark-processing",')
    assert read.endswith('"step": "pyspark-processing",')


def test_parts_that_are_left_out_come_back(renamed) -> None:
    """The files come from the template's version: afterwards, only the record differs."""
    before = git("rev-parse", "HEAD^{tree}", at=renamed.folder).strip()
    parts = ("Studio", "Previews", "ModelLifeCycle", "Schedules")

    for answer in ("no", "yes"):
        given = " ".join(f"--set {part}={answer}" for part in parts)
        renamed.made("init", f"ARGS=--yes {given}")
        for path in (".github/workflows/preview.yml", "infra/models.yaml", "ml_pipeline/pipelines/train.py"):
            assert (renamed.folder / path).exists() == (answer == "yes")
        git("add", "--all", at=renamed.folder)

    changed = git("diff", "--cached", "--name-only", before, at=renamed.folder).split()
    assert set(changed) <= {".template.json"}


@pytest.mark.timeout(1200)  # each of these tests has its own limit, which names the test
def test_its_tests_pass_with_another_environment(renamed) -> None:
    renamed.made("init", "ARGS=--yes --set Environments=dev,staging,uat,prod")
    renamed.made("workflows", "ARGS=--check")

    assert_tests_pass(renamed, *SUITES)
