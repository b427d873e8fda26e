"""A fork with other names, another region, other environments and other jobs passes its tests and runs.

`make init` changes what a fork changes, and the fixture `fork` adds a job. A file that would have to change
besides hard-codes a name.
"""

import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.checkout import VIRTUAL_ENVIRONMENT, Checkout, outputs

HERE = Path(__file__).parent
STEP, SPARK = "join-rates", "spark_jobs/configuration.json"
PROJECT = {
    "ProjectName": "city-trips",
    "Owner": "mobility",
    "Repository": "city-of-somewhere/trips",
    "Region": "eu-west-1",
}
ANSWERS: Mapping[str, Any] = {
    **PROJECT,
    "Environments": ["dev", "staging", "uat", "prod"],
    "Studio": False,
    "Previews": False,
    "Step": STEP,
}
"""The largest set of answers. The smallest one is that of docs/first-ten-minutes.md: names alone."""
TUTORIAL = "docs/first-ten-minutes.md"
TUTORIAL_REPOSITORY = "https://github.com/acme/trips"
SECTION = {
    "code": "join_rates.py",
    "inputs": {
        "trips": {"uri": "s3a://${DataBucketName}/input/trips", "sample": "trips"},
        "rates": {"uri": "s3a://${DataBucketName}/input/rates", "sample": "rates"},
    },
    "outputs": {"by_day": "s3a://${DataBucketName}/output/by_day"},
    "arguments": {"least_fare": 2.5},
    "instance_type": "ml.m5.large",
    "instance_count": 1,
}
TRIPS = """trip,day,currency,fare
a,2026-01-01,EUR,10
b,2026-01-01,USD,20
c,2026-01-02,EUR,5
d,2026-01-02,EUR,1
"""
RATES = {"2026-01-01": {"EUR": 1.0, "USD": 0.5}, "2026-01-02": {"EUR": 2.0}}
MODULE = '''"""The first pipeline: adds up the fares of trips."""

from collections.abc import Iterator, Mapping, Sequence

from helpers.pipeline_utils import Parameters
from ml_pipeline.steps import SparkStep, Step

DESCRIPTION = "Adds up the fares of trips, in one currency, by day."


def steps(_: Parameters) -> Sequence[Step]:
    """Return the steps of the pipeline."""
    return [
        SparkStep("join-rates"),
    ]
'''

PARTS = {
    # What reads the project's names, its environments and their stacks, its parameters and its jobs.
    "environments": ["tests/helpers/test_environments.py", "tests/helpers/test_pipeline_utils.py"],
    "stacks": [
        "tests/infra/test_templates.py",
        "tests/helpers/infra/test_regional_values.py",
        "tests/helpers/infra/test_stacks.py",
        "tests/helpers/infra/test_fixed_costs.py",
    ],
    "github": ["tests/helpers/github", "tests/workflows/test_static.py"],
    "pipelines": [
        "tests/ml_pipeline",
        "--ignore=tests/ml_pipeline/spark",
        "--ignore=tests/ml_pipeline/test_under_faults.py",
        "--ignore=tests/ml_pipeline/packages/test_examples.py",
    ],
    "docs": ["tests/docs"],
    "jobs": [
        "tests/spark_jobs/test_join_rates.py",
        "tests/spark_jobs/test_summarize.py",
        "tests/helpers/spark/sizing/test_configuration.py::test_the_jobs_file_is_what_sizing_gives",
        "tests/helpers/spark/sizing/test_report.py::test_the_documentation_is_the_report",
    ],
}
"""The tests of the fork, a process each; what is left out works on no name and no job of this repository."""

OLD_NAMES = ("pyspark-processing", "data-platform", "example-owner", "ProcessingPipeline", "abalone")
PROSE = (
    *("*.md", "NOTICE", "docs/**"),
    "tests/fork/**",  # which names them
    "ml_pipeline/scaffolding/sample_job.py",  # which removes what has them
    "tests/helpers/local_aws/pipelines/sdk_definitions/**",  # as the SDK wrote them
)
"""Where they may stand: a fork writes prose of its own."""
REGION = "us-east-1"
REGION_IS_A_FACT = (
    # AWS publishes prices for all regions in this one, and the known prices are those of it.
    "helpers/pricing/**",
    # Requests without a region are taken for this one, as S3 does.
    "helpers/local_aws/http.py",
    # cfn-lint ships the schemas of all resource types under this one.
    "helpers/local_aws/cloudformation/update_schemas.py",
    # Examples of what a region looks like, in messages and docstrings.
    "helpers/environments.py",
    "helpers/project_settings.py",
    "helpers/local_aws/service_clients.py",
    # The SDK looks for a region when it is imported, whichever.
    "ml_pipeline/steps/sagemaker_sdk.py",
    # Findings show what outside software does, in a region of their own.
    "findings/**",
    # Tests give regions as examples; they pass in the region of the fork.
    "tests/**",
)


def copy_working_tree(repository: Path, folder: Path) -> None:
    """Clone HEAD, and copy what is not committed; times are kept, for make compares those of requirements."""
    git("clone", "--quiet", str(repository), str(folder), at=repository)
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


def edit_json(path: Path, **values: Any) -> None:
    """Set keys of a JSON file; None removes one."""
    document = {**json.loads(path.read_text()), **values} if path.exists() else values
    path.write_text(json.dumps({k: v for k, v in document.items() if v is not None}, indent=2) + "\n")


def write_samples(folder: Path) -> None:
    """Trips as CSV, and rates as Parquet in a partition for each day."""
    (folder / "trips").mkdir()
    (folder / "trips" / "trips.csv").write_text(TRIPS)
    for day, rates in RATES.items():
        partition = folder / "rates" / f"day={day}"
        partition.mkdir(parents=True)
        table = pa.table({"currency": list(rates), "rate": list(rates.values())})
        pq.write_table(table, partition / "part-0.parquet")


def write_job(folder: Path) -> None:
    """Give the generated step a job of its own, with two inputs."""
    shutil.copy2(HERE / "join_rates.py", folder / "spark_jobs" / "join_rates.py")
    shutil.copy2(HERE / "of_join_rates.py", folder / "tests" / "spark_jobs" / "test_join_rates.py")
    samples = folder / "spark_jobs" / "sample_data"
    shutil.rmtree(samples)
    samples.mkdir()
    write_samples(samples)
    edit_json(folder / "ml_pipeline" / "params" / "pipeline_params.json", steps={STEP: SECTION})


def committed(fork: Checkout) -> Iterator[Checkout]:
    git("add", "--all", at=fork.folder)
    git("commit", "--quiet", "--message", "Fork", at=fork.folder)
    yield fork
    fork.make("down")


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Checkout]:
    folder = tmp_path_factory.mktemp("largest") / "fork"
    copy_working_tree(repository, folder)
    (folder / ".venv").symlink_to(VIRTUAL_ENVIRONMENT)
    (folder.parent / "answers.json").write_text(json.dumps(ANSWERS))
    fork = Checkout(folder)
    fork.made("init", "ARGS=--answers ../answers.json --yes")
    write_job(fork.folder)
    fork.made(
        "size", f"STEP={STEP}", "SHAPE=python", f"ARGS=--write {SPARK} --report docs/spark-configuration.md"
    )
    fork.made("new-step", "NAME=summarize")
    yield from committed(fork)


class Tutorial(NamedTuple):
    """What the first ten minutes make."""

    fork: Checkout
    printed: list[str]
    """What the shell blocks of the page printed, one after the other."""


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Tutorial]:
    """Follow the page up to its last command, which stops the embedded AWS: that is for the end."""
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
    """Return a repository as GitHub makes one from the template: its files, and none of its history."""
    copy_working_tree(repository, folder)
    shutil.rmtree(folder / ".git")
    git("init", "--quiet", "--initial-branch=main", at=folder)
    git("add", "--all", at=folder)
    git("commit", "--quiet", "--message", "Initial commit", at=folder)
    git("config", "receive.denyCurrentBranch", "ignore", at=folder)
    return folder


def tutorial_environment(on_github: Path, repository: Path) -> dict[str, str]:
    """Return an environment in which the address of the page leads to a repository on this machine."""
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
    """Spare a clone the installation: it gets the virtual environment of the tests, as up to date."""
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


def test_the_answers_can_be_changed(renamed) -> None:
    """Previews and Studio go, and come back from the template's version."""
    before = git("rev-parse", "HEAD^{tree}", at=renamed.folder).strip()

    for answer in ("no", "yes"):
        renamed.made("init", f"ARGS=--yes --set Previews={answer} --set Studio={answer}")
        assert (renamed.folder / ".github/workflows/preview.yml").exists() == (answer == "yes")
        git("add", "--all", at=renamed.folder)

    changed = git("diff", "--cached", "--name-only", before, at=renamed.folder).split()
    assert set(changed) <= {".template.json"}


def test_it_has_no_fault_in_style_types_and_templates(fork) -> None:
    fork.made("lint")
    fork.made("workflows", "ARGS=--check")


@pytest.mark.timeout(1200)  # each of these tests has a limit of its own, and names itself where it is reached
@pytest.mark.parametrize("part", PARTS)
def test_its_tests_pass(part, fork) -> None:
    python = VIRTUAL_ENVIRONMENT / "bin" / "python"
    # The profile that keeps commands from a user's own is one that tests of this process do not have either.
    environment = {name: value for name, value in fork.environment.items() if name != "AWS_PROFILE"}

    ran = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PARTS[part]],
        cwd=fork.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2_000:]


def test_its_pipeline_runs(fork) -> None:
    output = fork.made("run")

    folder = outputs(output[output.index("summarize: Succeeded") :])["parquet"]
    files = [uri for uri in fork.under(folder) if uri.endswith(".parquet")]
    rows = [row for uri in files for row in pq.read_table(io.BytesIO(fork.read(uri))).to_pylist()]
    assert sorted((str(row["day"]), row["trips"], row["amount"]) for row in rows) == [
        ("2026-01-01", 2, 20.0),
        ("2026-01-02", 1, 10.0),
    ]
    assert "is verified" in fork.made("verify")
    assert "nothing would change" in fork.made("plan")
    assert "no drift" in fork.made("drift")


@pytest.mark.parametrize("name", OLD_NAMES)
def test_no_old_name_remains(name, fork) -> None:
    found = lines_with(name, fork, PROSE)

    assert not found, "\n".join(found)


def test_the_old_region_remains_where_it_is_a_fact(fork) -> None:
    found = lines_with(REGION, fork, (*PROSE, *REGION_IS_A_FACT))

    assert not found, "\n".join(found)


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
    assert found.returncode in {0, 1}, found.stderr  # 1: there are none
    return found.stdout.splitlines()
