"""What the README promises, through `make` in a checkout of its own."""

import csv
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import urllib.request
from itertools import takewhile
from pathlib import Path
from typing import Any

import boto3
import psutil
import pyarrow.parquet as pq
import pytest

from helpers.local_aws.server_state import ServerState

PARTS = (
    "helpers",
    "infra",
    "ml_pipeline",
    "spark_jobs",
    "Makefile",
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-uv.txt",
)

RUN_HERE: set[str] = set()
"""The targets that the tests of this file have run."""


class Checkout:
    """A copy of what `make run` needs; the virtual environment is that of the tests."""

    def __init__(self, folder: Path, repository: Path):
        self.folder = folder
        self.virtual_environment = repository / ".venv"
        for part in PARTS:
            copy = shutil.copytree if (repository / part).is_dir() else shutil.copy2
            copy(repository / part, folder / part)
        # Coverage is of the code that tests import; of a copy it would count every file twice.
        # `make test` hands down what it was given itself, as ARGS, in its flags and as variables.
        variables = re.findall(r"\$\(([A-Z_]+)\)|ifndef ([A-Z]+)", (repository / "Makefile").read_text())
        given = {name for names in variables for name in names}
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in given
            and not name.startswith(("AWS_", "COVERAGE_", "LOCAL_AWS_", "MAKE", "MFLAGS"))
        }
        # What a user may have set, or `make test` was given, must not lead the commands anywhere else.
        self.environment = {**inherited, "AWS_PROFILE": "nobody"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        RUN_HERE.update(words)
        return subprocess.Popen(
            ["make", f"VENV={self.virtual_environment}", *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def make(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        said, _ = process.communicate(timeout=500)
        return process.returncode, said

    def made(self, *words: str) -> str:
        code, said = self.make(*words)
        assert code == 0, said
        return said

    def change(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    @property
    def server(self) -> ServerState:
        state = ServerState.load(self.folder / ".local_aws")
        assert state
        return state

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.server.access_key,
            aws_secret_access_key=self.server.secret_key,
        )

    def read(self, uri: str) -> bytes:
        bucket, key = re.fullmatch(r"s3a?://([^/]+)/(.+)", uri).groups()
        return self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    def under(self, uri: str) -> list[str]:
        bucket, key = re.fullmatch(r"s3a?://([^/]+)/(.+)", uri).groups()
        listed = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
        return [f"s3://{bucket}/{item['Key']}" for item in listed]

    def job_processes(self) -> list[psutil.Process]:
        return psutil.Process(self.server.pid).children(recursive=True)


def told(said: str, label: str) -> str:
    return re.search(rf"^{label} +(.+)$", said, re.MULTILINE)[1].strip()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, repository):
    checkout = Checkout(tmp_path_factory.mktemp("checkout"), repository)
    yield checkout
    checkout.make("down")


@pytest.fixture(scope="module")
def first_run(checkout) -> str:
    return checkout.made("run")


def test_make_run_brings_every_row_through(checkout, first_run) -> None:
    parts = [uri for uri in checkout.under(told(first_run, "Parquet")) if uri.endswith(".parquet")]
    table = [row for uri in parts for row in pq.read_table(io.BytesIO(checkout.read(uri))).to_pylist()]
    source = list(csv.reader((checkout.folder / "spark_jobs/sample_data/abalone.csv").open()))

    assert len(table) == 4177
    assert sorted((row["sex"], row["length"], row["diameter"], row["rings"]) for row in table) == sorted(
        (row[0], float(row[1]), float(row[2]), int(row[8])) for row in source
    )
    text = b"".join(checkout.read(uri) for uri in checkout.under(told(first_run, "CSV")) if "part-" in uri)
    assert len(text.decode().splitlines()) == 4177 + 1


def test_make_run_ends_with_a_summary(checkout, first_run) -> None:
    assert "4,177 in, 4,177 out, 0 rejected" in told(first_run, "Rows")
    assert "start Spark" in told(first_run, "In the job")
    assert checkout.read(told(first_run, "Spark event log")).startswith(b'{"Event":"SparkListenerLogStart"')
    assert "read 4,177 rows" in checkout.made("logs")


def test_what_ran_is_recorded_and_checked(checkout, first_run) -> None:
    code = checkout.made("code-hash").strip()

    (version,) = json.loads(checkout.made("history", "ARGS=--json"))
    assert (version["version"], version["code_hash"]) == (1, code)
    assert version["last_execution"]["arn"] == told(first_run, "Execution")
    assert version["last_execution"]["status"] == "Succeeded"
    assert "is as it should be: 4,177 rows in 5 objects, all encrypted." in checkout.made("verify")
    assert f"code/{code}/: the pipeline uses it." in checkout.made("sweep", "ARGS=--dry-run")
    refused, said = checkout.make("upsert", "CODE=0123456789abcdef")
    assert refused != 0
    assert f"The code of this checkout is {code}, not 0123456789abcdef" in said
    refused, said = checkout.make("rollback")
    assert refused != 0
    assert "No version before the current one succeeded" in said


def test_make_events_tells_where_the_time_went(checkout, first_run) -> None:
    said = checkout.made("events", "ARGS=--write next.json")

    assert told(first_run, "Spark event log").rsplit("/", 1)[-1] in said
    assert "no task ran in" in said, "a small job is mostly start and driver"
    assert "next.json" in said


def test_make_spark_ui_shows_the_newest_execution_until_it_is_interrupted(checkout, first_run) -> None:
    application = told(first_run, "Spark event log").rsplit("/", 1)[-1]

    process = checkout.start("spark-ui", "ARGS=--port 0")
    lines = list(takewhile(lambda line: "Ctrl-C" not in line, iter(process.stdout.readline, "")))
    (address,) = re.findall(r"(http://127\.0\.0\.1:\d+)/history/\S+/jobs/", "".join(lines))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{address}/api/v1/applications/{application}/stages", timeout=300) as answer:
        stages = json.load(answer)
    with opener.open(f"{address}/history/{application}/stages/", timeout=300) as answer:
        page = answer.read().decode()
    running = psutil.Process(process.pid).children(recursive=True)
    java = next(
        child for child in running if "HistoryServer" in " ".join(child.cmdline()) and "java" in child.name()
    )
    addresses = {
        connection.laddr.ip for connection in java.net_connections() if connection.status == "LISTEN"
    }
    words = " ".join(java.cmdline())
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=300)

    assert {stage["status"] for stage in stages} <= {"COMPLETE", "SKIPPED"}
    assert stages
    assert f"Completed Stages ({len([s for s in stages if s['status'] == 'COMPLETE'])})" in page
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert checkout.server.secret_key not in words
    _, alive = psutil.wait_procs(running, timeout=10)
    assert alive == []


def test_ctrl_c_leaves_nothing_behind(checkout, first_run) -> None:
    process = checkout.start("start", "CACHE=off")
    lines = iter(process.stdout.readline, "")
    assert any("Executing" in line for line in lines)
    second_code, second = checkout.make("start", "CACHE=off")

    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=300)

    assert second_code != 0, "two runs at once"
    assert "is Executing" in second or "Executing" in second
    assert process.returncode != 0
    assert "Stopped" in said
    assert checkout.job_processes() == []


def test_nothing_changed_is_a_cache_hit_and_nothing_to_plan(checkout, first_run) -> None:
    said = checkout.made("run")

    assert told(first_run, "Execution").split()[0] in said.split("Started")[1], "the source execution is told"
    plan = checkout.made("plan")
    assert "no changes" in plan.lower()
    assert "nothing would change" in plan
    section = checkout.made("plan", "FORMAT=markdown")
    assert section.startswith("## Plan for `local`")
    assert "an hour for" in section, "the first run says how long one takes"


def test_a_fresh_deployment_has_no_drift_and_nothing_to_migrate(checkout, first_run) -> None:
    assert "local: no drift in" in checkout.made("drift")
    assert "nothing to do" in checkout.made("migrate")


def test_changed_data_is_no_cache_hit(checkout, first_run) -> None:
    """The execution is stopped as soon as its step runs: a hit would have succeeded at once.

    Changed code is no hit either: the job that throws, below, does throw. For each file that is staged see
    tests/ml_pipeline/test_definition.py.
    """
    checkout.change("spark_jobs/sample_data/abalone.csv", ",15\n", ",16\n")

    checkout.made("data", "start", "WAIT=no")
    sagemaker = checkout.client("sagemaker")
    (newest, *_) = sagemaker.list_pipeline_executions(PipelineName="ProcessingPipeline-local")[
        "PipelineExecutionSummaries"
    ]
    steps: list[dict[str, Any]] = []
    while not steps:
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=newest["PipelineExecutionArn"])[
            "PipelineExecutionSteps"
        ]
    checkout.made("stop")

    assert "CacheHitResult" not in steps[0]


def test_a_job_that_throws_tells_its_own_exception(checkout, first_run) -> None:
    checkout.change(
        "spark_jobs/process_pyspark.py", "    options = parse(argv)\n", "    raise KeyError('rings')\n"
    )

    code, said = checkout.make("upsert", "start")

    assert code != 0
    assert "KeyError" in said
    assert "make logs" in said
    checkout.change(
        "spark_jobs/process_pyspark.py", "    raise KeyError('rings')\n", "    options = parse(argv)\n"
    )


def test_a_broken_configuration_is_refused(checkout, first_run) -> None:
    checkout.change("spark_jobs/configuration.json", '"2",', '"2"')

    code, said = checkout.make("upsert", "start")

    assert code != 0
    assert "configuration.json" in said
    checkout.change("spark_jobs/configuration.json", '"2"', '"2",')


def test_a_missing_input_is_told(checkout, first_run) -> None:
    (key,) = checkout.under(told(first_run, "CSV").split("/pyspark/")[0] + "/data_input/")
    bucket, name = re.fullmatch(r"s3://([^/]+)/(.+)", key).groups()
    checkout.client("s3").delete_object(Bucket=bucket, Key=name)

    code, said = checkout.make("start")

    assert code != 0
    assert "abalone.csv" in said
    assert "Traceback" not in said


def shown_commands(repository: Path) -> list[str]:
    """The commands in the shell blocks of the README and of the docs, without their comments."""
    pages = [repository / "README.md", *sorted((repository / "docs").glob("*.md"))]
    blocks = [b for page in pages for b in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.M | re.S)]
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return sorted({line for line in lines if line})


def test_sizes_are_explained_and_instances_chosen_by_the_run(checkout, first_run) -> None:
    sizes = checkout.made("size", "INSTANCE=ml.m5.4xlarge", "COUNT=6", "DATA_GB=500", "SHAPE=shuffle")
    choice = checkout.made(
        "choose", "DATA_GB=1", "DEADLINE_MINUTES=60", f"RUNS={told(first_run, 'Spark event log')}"
    )

    assert "24 executors of 4 cores" in sizes
    assert "spark.sql.shuffle.partitions = 3936" in sizes
    assert choice.startswith("No run tells this job's speed")
    assert re.search(r"0\.2 MB for \d+ cores are too little to tell start from work", choice)
    assert re.search(r"^Next: make size INSTANCE=ml", choice, re.MULTILINE)


def test_every_command_that_the_docs_show_works(checkout, first_run, repository) -> None:
    """`aws` is run as it stands. `make` takes the words as they stand, and tests above ran the target."""
    shown = shown_commands(repository)
    others = [line for line in shown if not line.startswith("make ")]
    # What only workflows call, or only people with a repository on GitHub, has tests of its own.
    elsewhere = {"test", "teardown", "down", "history", "github-setup", "protect"}
    path = f"{checkout.virtual_environment / 'bin'}:{os.environ['PATH']}"
    script = "\n".join(["set -eu -o pipefail", *sorted(others, key=lambda line: not line.startswith("eval"))])
    checkout.made("up", "deploy", "outputs")

    ran = subprocess.run(
        ["bash", "-c", script.replace("make -s", f"make -s VENV={checkout.virtual_environment}")],
        cwd=checkout.folder,
        env={**checkout.environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert any(line.startswith("aws ") for line in others)
    for line in shown:
        if line.startswith("make "):
            words = shlex.split(line)[1:]
            assert checkout.make("-n", *words)[0] == 0, line
            assert words[0] in RUN_HERE | elsewhere, f"no test of this file runs `{line}`"


def test_teardown_removes_everything_and_can_be_repeated(checkout, first_run) -> None:
    refused, _ = checkout.make("teardown")  # nobody answers
    told = checkout.made("teardown", "ARGS=--yes")

    again = checkout.made("teardown", "ARGS=--yes")
    as_administrator = checkout.made("teardown", "ARGS=--yes --with-github")

    assert refused != 0
    assert "-github-oidc, by which GitHub's workflows get in" in told
    assert "nothing to do" in again
    assert "-github-oidc is deleted." in as_administrator
    assert checkout.client("s3").list_buckets()["Buckets"] == []
    assert checkout.client("sagemaker").list_pipelines()["PipelineSummaries"] == []


def test_a_killed_server_is_told_and_started_again(checkout, first_run) -> None:
    os.kill(checkout.server.pid, signal.SIGKILL)

    code, said = checkout.make("start")

    assert code != 0
    assert "The embedded AWS does not run. Start it with: make up" in said
    assert "started" in checkout.made("up")


@pytest.mark.parametrize(
    "words",
    [
        ("start", "CACHE=perhaps"),
        ("start", "WAIT=1"),
        ("plan", "ENV=production"),
        ("plan", "ENV=pr-0"),
        ("plan", "FORMAT=html"),
    ],
)
def test_wrong_words_are_refused(checkout, words) -> None:
    code, _ = checkout.make(*words)

    assert code != 0


def test_what_make_test_was_given_reaches_no_command_of_these_tests(
    tmp_path, repository, monkeypatch
) -> None:
    for name, value in {"ARGS": "--durations=60", "ENV": "prod", "CACHE": "off", "V": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MAKEFLAGS", " -- ENV=prod ARGS=--durations=60 CACHE=off")

    checkout = Checkout(tmp_path, repository)

    said = checkout.made("--dry-run", "start", "drift")
    assert "--durations" not in said
    assert said.count("--env local") == 2
    assert "--cache on" in said
    assert checkout.made("help").startswith("\nRun\n"), "V would show the command first"


def test_help_explains_every_target(checkout, repository) -> None:
    said = checkout.made("help")

    targets = set(re.findall(r"^([a-z-]+):.*##", (repository / "Makefile").read_text(), re.MULTILINE))
    wanted = "help run test lint format plan deploy outputs upsert start teardown up down env logs"
    assert set(wanted.split(" ")) <= targets
    assert all(f"make {target}" in said for target in targets)
