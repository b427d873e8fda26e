"""A fork with the smallest set of answers: no optional part, other names, another region, own jobs.

`make init` makes the changes of such a fork, and the fixture `fork` adds a job. If another file had to
change, it would contain a hard-coded name or a remainder of a part.
"""

import io
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.template.marks import marked_names
from helpers.template.parts import parts_of
from tests.checkout import VIRTUAL_ENVIRONMENT, Checkout, outputs
from tests.fork.forks import PROJECT, assert_tests_pass, committed, copy_working_tree, git, lines_with

HERE = Path(__file__).parent
STEP, SPARK = "join-rates", "spark_jobs/configuration.json"
ANSWERS: Mapping[str, Any] = {
    **PROJECT,
    "Environments": ["uat"],
    "Studio": False,
    "Previews": False,
    "ModelLifeCycle": False,
    "Schedules": False,
    "Step": STEP,
}
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
SUITES = {
    # Tests that read the project's names, environments, stacks, parameters and jobs.
    "environments": ["tests/helpers/test_environments.py", "tests/helpers/test_pipeline_utils.py"],
    "stacks": [
        "tests/infra/test_templates.py",
        "tests/helpers/infra/test_regional_values.py",
        "tests/helpers/infra/test_stacks.py",
        "tests/helpers/infra/test_fixed_costs.py",
    ],
    "github": ["tests/helpers/github", "tests/workflows/test_static.py"],
    "pipelines": [
        "tests/ml_pipeline/completion",
        "tests/ml_pipeline/controls",
        "tests/ml_pipeline/packages/test_parameters.py",
        "tests/ml_pipeline/params",
        "tests/ml_pipeline/pipelines",
        "tests/ml_pipeline/releases/test_staging.py",
        "tests/ml_pipeline/review/test_doctor.py",
        "tests/ml_pipeline/scaffolding",
        "tests/ml_pipeline/test_command_line.py",
        "tests/ml_pipeline/test_definition.py",
        "tests/ml_pipeline/test_definition_cache.py",
    ],
    "docs": ["tests/docs"],
    "jobs": [
        "tests/spark_jobs/test_join_rates.py",
        "tests/spark_jobs/test_summarize.py",
        "tests/helpers/spark/sizing/test_configuration.py::test_the_jobs_file_is_what_sizing_gives",
        "tests/helpers/spark/sizing/test_report.py::test_the_documentation_is_the_report",
    ],
}
"""The tests of the fork, in one process each, except those that read no file that a fork changes."""

TEXTS = (".json", ".md", ".py", ".toml", ".yaml", ".yml", "")
OPERATED = ("infra/", ".github/", "Makefile", "ml_pipeline/commands/", "ml_pipeline/pipelines/")
TRACE = re.compile(
    r"model.?package|scoring|training-?job-?role|transform-?job-?role|cron:"
    r"|studio|elasticfilesystem|user-?profile|sagemaker:\w*(app|domain|space)\b|SetSourceIdentity",
    re.IGNORECASE,
)
"""Words that occur only with an optional part, in files that it would change."""
OLD_NAMES = ("pyspark-processing", "data-platform", "example-owner", "ProcessingPipeline", "abalone")
PROSE = (
    *("*.md", "NOTICE", "docs/**"),
    "tests/fork/**",  # names the words
    "helpers/template/parts.toml",  # lists the files of parts
    "ml_pipeline/scaffolding/sample_job.py",  # finds the pages that describe it
    "tests/helpers/local_aws/pipelines/sdk_definitions/**",  # as written by the SDK
)
"""Files with text that a fork replaces."""
REGION = "us-east-1"
REGION_IS_A_FACT = (
    # AWS publishes prices of all regions in this one, and the known prices are for it.
    "helpers/pricing/**",
    # Requests without a region use this one, as in S3.
    "helpers/local_aws/http.py",
    # cfn-lint includes the schemas of all resource types under this one.
    "helpers/local_aws/cloudformation/update_schemas.py",
    # Examples of regions in messages and docstrings.
    "helpers/environments.py",
    "helpers/project_settings.py",
    "helpers/local_aws/service_clients.py",
    # The SDK requires any region when it is imported.
    "ml_pipeline/steps/sagemaker_sdk.py",
    # Findings demonstrate behavior of other software in a fixed region.
    "findings/**",
    # Tests use regions as examples; they pass in the region of the fork.
    "tests/**",
)


def edit_json(path: Path, **values: Any) -> None:
    """Set keys of a JSON file; None removes a key."""
    document = {**json.loads(path.read_text()), **values} if path.exists() else values
    path.write_text(json.dumps({k: v for k, v in document.items() if v is not None}, indent=2) + "\n")


def write_samples(folder: Path) -> None:
    """Write trips as CSV, and rates as Parquet with a partition per day."""
    (folder / "trips").mkdir()
    (folder / "trips" / "trips.csv").write_text(TRIPS)
    for day, rates in RATES.items():
        partition = folder / "rates" / f"day={day}"
        partition.mkdir(parents=True)
        table = pa.table({"currency": list(rates), "rate": list(rates.values())})
        pq.write_table(table, partition / "part-0.parquet")


def write_job(folder: Path) -> None:
    """Replace the generated job of the step with one that has two inputs."""
    shutil.copy2(HERE / "join_rates.py", folder / "spark_jobs" / "join_rates.py")
    shutil.copy2(HERE / "of_join_rates.py", folder / "tests" / "spark_jobs" / "test_join_rates.py")
    samples = folder / "spark_jobs" / "sample_data"
    shutil.rmtree(samples)
    samples.mkdir()
    write_samples(samples)
    edit_json(folder / "ml_pipeline" / "params" / "pipeline_params.json", steps={STEP: SECTION})


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Checkout]:
    folder = tmp_path_factory.mktemp("smallest") / "fork"
    copy_working_tree(repository, folder)
    (folder / ".venv").symlink_to(VIRTUAL_ENVIRONMENT)
    if (known := repository / ".mypy_cache").is_dir():  # most files are those of the template
        shutil.copytree(known, folder / ".mypy_cache")
    (folder.parent / "answers.json").write_text(json.dumps(ANSWERS))
    fork = Checkout(folder)
    fork.made("init", "ARGS=--answers ../answers.json --yes")
    write_job(fork.folder)
    fork.made(
        "size", f"STEP={STEP}", "SHAPE=python", f"ARGS=--write {SPARK} --report docs/spark-configuration.md"
    )
    fork.made("new-step", "NAME=summarize")
    yield from committed(fork)


def test_it_has_no_fault_in_style_types_and_templates(fork) -> None:
    fork.made("lint")
    fork.made("workflows", "ARGS=--check")


@pytest.mark.timeout(1200)  # each of these tests has its own limit, which names the test
@pytest.mark.parametrize("suite", SUITES)
def test_its_tests_pass(suite, fork) -> None:
    assert_tests_pass(fork, *SUITES[suite])


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


def test_nothing_is_left_of_the_parts(fork) -> None:
    """No file, mark or word of a part remains in templates, workflows, commands and pipelines."""
    parts = parts_of(fork.folder)
    listed = git("ls-files", at=fork.folder).splitlines()
    texts = {path: (fork.folder / path).read_text() for path in listed if Path(path).suffix in TEXTS}

    assert [path for path in listed if any(part.owns(path) for part in parts)] == []
    assert [path for path, text in texts.items() if marked_names(text) & {part.name for part in parts}] == []
    assert [path for path, text in texts.items() if path.startswith(OPERATED) and TRACE.search(text)] == []
    assert "models" not in fork.made("help")
