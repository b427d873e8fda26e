"""Tests the commands of the README with `make` in a separate checkout."""

import csv
import io
import json
import os
import re
import shlex
import signal
import subprocess
import urllib.request
from itertools import takewhile
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from ml_pipeline.params import pipeline_name
from ml_pipeline.params.documents import read_document
from ml_pipeline.params.files import parameter_file
from tests.checkout import VIRTUAL_ENVIRONMENT, Checkout, copy_of, summary_value

PIPELINE = pipeline_name("local")
PARAMETERS = read_document(parameter_file("processing")).values
CODE, SAMPLE = PARAMETERS["pyspark_process_code"].rsplit("/", 1)[-1], PARAMETERS["pyspark_process_sample"]


def report(checkout: Checkout, output: str) -> dict[str, Any]:
    """The report of the job in a summary."""
    return json.loads(checkout.read(summary_value(output, "Report")))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, repository):
    checkout = copy_of(repository, tmp_path_factory.mktemp("checkout"))
    yield checkout
    checkout.make("down")


@pytest.fixture(scope="module")
def first_run(checkout) -> str:
    return checkout.made("run")


def test_make_run_writes_the_rows_that_its_report_counts(checkout, first_run) -> None:
    written = report(checkout, first_run)
    (sample,) = (checkout.folder / "spark_jobs" / "sample_data").glob(SAMPLE)
    counted = {}
    for name, output in written["outputs"].items():
        parts = [uri for uri in checkout.under(output["folder"]) if "/part-" in uri]
        assert len(parts) == output["files"]
        counted[name] = sum(
            pq.read_metadata(io.BytesIO(checkout.read(uri))).num_rows
            if output["format"] == "parquet"
            else len(list(csv.DictReader(io.StringIO(checkout.read(uri).decode()))))
            for uri in parts
        )

    assert counted == {name: output["rows"] for name, output in written["outputs"].items()}
    assert written["rows_in"] == len(sample.read_text().splitlines())
    assert all(check["expected"] == check["actual"] for check in written["checks"])


def test_make_run_ends_with_a_summary(checkout, first_run) -> None:
    written = report(checkout, first_run)
    assert f"{written['rows_in']:,} in, {written['rows_rejected']:,} rejected" in summary_value(
        first_run, "Rows"
    )
    for name, output in written["outputs"].items():
        assert re.search(rf"^Output +{name} .*{output['rows']:,} rows", first_run, re.MULTILINE)
    assert written["executors"]["granted"] == written["executors"]["requested"] == 2
    assert summary_value(first_run, "Executors").startswith("2, with ")
    assert "start Spark" in summary_value(first_run, "In the job")
    assert checkout.read(summary_value(first_run, "Spark event log")).startswith(
        b'{"Event":"SparkListenerLogStart"'
    )
    assert f"read {written['rows_in']:,} rows" in checkout.made("logs")


def test_what_ran_is_recorded_and_checked(checkout, first_run) -> None:
    code = checkout.made("code-hash").strip()

    (version,) = json.loads(checkout.made("history", "ARGS=--json"))["processing"]
    assert (version["version"], version["code_hash"]) == (1, code)
    assert version["last_execution"]["arn"] == summary_value(first_run, "Execution")
    assert version["last_execution"]["status"] == "Succeeded"
    reports = [json.loads(checkout.read(uri)) for uri in re.findall(r"^Report +(\S+)$", first_run, re.M)]
    folders = [output["folder"] for each in reports for output in each["outputs"].values()]
    written = sum(len(checkout.under(folder)) for folder in folders) + len(reports)
    assert f"is verified: {written} objects, all encrypted." in checkout.made("verify")
    staged = set(re.findall(r"^Staged .*/code/(\w+)/", first_run, re.M))
    swept = checkout.made("sweep", "ARGS=--dry-run")
    assert staged
    assert all(f"code/{each}/: the pipeline uses it." in swept for each in staged)
    rejected, printed = checkout.make("upsert", "CODE=0123456789abcdef")
    assert rejected != 0
    assert f"The code of this checkout is {code}, not 0123456789abcdef" in printed
    rejected, printed = checkout.make("rollback")
    assert rejected != 0
    assert "No version before the current one succeeded" in printed


def test_make_report_writes_one_page_about_the_run(checkout, first_run) -> None:
    """`make run` has already written the page; this compares it with the output of the run."""
    written = report(checkout, first_run)
    arn = summary_value(first_run, "Execution")
    (by_run,) = re.findall(r"^Execution report: file://(.+)$", first_run, re.MULTILINE)

    printed = checkout.made("report", f"ARGS=--execution {arn} --output page.html")

    page = (checkout.folder / "page.html").read_text()
    assert printed.rstrip().endswith("Wrote page.html")
    assert Path(by_run).name == f"{PIPELINE}-{arn.rpartition('/')[2]}.html"
    assert f'<td class="number">{written["rows_in"]:,}</td>' in page
    assert all(output["folder"] in page for output in written["outputs"].values())
    assert f"All {written['outputs']['parquet']['rows']:,} rows." in page
    columns = pq.read_schema(
        io.BytesIO(checkout.read(checkout.under(written["outputs"]["parquet"]["folder"])[-1]))
    )
    assert all(f"<h5>{name} <span" in page for name in columns.names)
    assert written["application_id"] in page
    assert "Time by activity" in page
    assert checkout.made("code-hash").strip() in page
    assert "No earlier execution of this pipeline succeeded" in page
    assert "There is no Spark event log" not in page
    assert checkout.server.secret_key not in page
    assert "make report" in summary_value(first_run, "Page")
    assert arn in Path(by_run).read_text()


def test_make_events_shows_where_the_time_went(checkout, first_run) -> None:
    output = checkout.made("events", "ARGS=--write next.json")

    assert summary_value(first_run, "Spark event log", step=-1).rsplit("/", 1)[-1] in output
    assert "no task ran in" in output, "a small job is mostly start and driver"
    assert "next.json" in output


def test_make_spark_ui_shows_the_newest_execution_until_it_is_interrupted(checkout, first_run) -> None:
    application = summary_value(first_run, "Spark event log", step=-1).rsplit("/", 1)[-1]

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
    output, _ = process.communicate(timeout=300)

    assert second_code != 0, "two runs at once"
    assert "is Executing" in second or "Executing" in second
    assert process.returncode != 0
    assert "Stopped" in output
    assert checkout.job_processes() == []


def test_nothing_changed_is_a_cache_hit_and_nothing_to_plan(checkout, first_run) -> None:
    output = checkout.made("run")

    assert summary_value(first_run, "Execution").split()[0] in output.split("Started")[1], (
        "the source execution is shown"
    )
    plan = checkout.made("plan")
    assert "no changes" in plan.lower()
    assert "nothing would change" in plan
    section = checkout.made("plan", "FORMAT=markdown")
    assert section.startswith("## Plan for `local`")
    assert "an hour for" in section, "the first run shows how long one takes"


def test_a_fresh_deployment_has_no_drift_and_nothing_to_migrate(checkout, first_run) -> None:
    assert "local: no drift in" in checkout.made("drift", "PIPELINE=processing")
    assert "nothing to do" in checkout.made("migrate")


def test_changed_data_is_not_a_cache_hit(checkout, first_run) -> None:
    """The execution is stopped when its step runs: with a cache hit, it would have succeeded immediately.

    The failing job below shows that changed code is no hit either. tests/ml_pipeline/test_definition.py tests
    each staged file.
    """
    sample = checkout.folder / "spark_jobs" / "sample_data" / SAMPLE
    with sample.open("a") as file:
        file.write(sample.read_text().splitlines()[-1] + "\n")

    checkout.made("data", "start", "WAIT=no")
    sagemaker = checkout.client("sagemaker")
    (newest, *_) = sagemaker.list_pipeline_executions(PipelineName=PIPELINE)["PipelineExecutionSummaries"]
    steps: list[dict[str, Any]] = []
    while not steps:
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=newest["PipelineExecutionArn"])[
            "PipelineExecutionSteps"
        ]
    checkout.made("stop")

    assert "CacheHitResult" not in steps[0]


def test_a_job_that_throws_shows_its_own_exception(checkout, first_run) -> None:
    last = "\nif __name__ =="
    checkout.change(f"spark_jobs/{CODE}", last, f"\nraise KeyError('rings'){last}")

    code, output = checkout.make("upsert", "start")

    assert code != 0
    assert "KeyError" in output
    assert "make logs" in output
    checkout.change(f"spark_jobs/{CODE}", f"\nraise KeyError('rings'){last}", last)


def test_a_broken_configuration_is_rejected(checkout, first_run) -> None:
    checkout.change("spark_jobs/configuration.json", '"2",', '"2"')

    code, output = checkout.make("upsert", "start")

    assert code != 0
    assert "configuration.json" in output
    checkout.change("spark_jobs/configuration.json", '"2"', '"2",')


def test_a_missing_input_is_reported(checkout, first_run) -> None:
    uri = PARAMETERS["pyspark_process_data_input"].removeprefix("s3a://${DataBucketName}/")
    bucket = summary_value(first_run, "Report").split("/")[2]
    checkout.client("s3").delete_object(Bucket=bucket, Key=uri)

    code, output = checkout.make("start")

    assert code != 0
    assert f"{bucket}/{uri}" in output
    assert "make data ENV=local" in output
    assert "Traceback" not in output


def shown_commands(repository: Path) -> list[str]:
    """The commands in the shell blocks of README and docs, without comments.

    tests/fork runs those of first-ten-minutes.md.
    """
    guides = sorted((repository / "docs").glob("*.md"))
    pages = [repository / "README.md", *(page for page in guides if page.name != "first-ten-minutes.md")]
    blocks = [b for page in pages for b in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.M | re.S)]
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return sorted({line for line in lines if line})


def test_sizes_are_explained_and_instances_chosen_by_the_run(checkout, first_run) -> None:
    sizes = checkout.made("size", "INSTANCE=ml.m5.4xlarge", "COUNT=6", "DATA_GB=500", "SHAPE=shuffle")
    choice = checkout.made(
        "choose", "DATA_GB=1", "DEADLINE_MINUTES=60", f"RUNS={summary_value(first_run, 'Spark event log')}"
    )

    assert "24 executors of 4 cores" in sizes
    assert "spark.sql.shuffle.partitions = 3936" in sizes
    assert choice.startswith("No run shows this job's speed")
    assert re.search(r"0\.2 MB for \d+ cores are too little to separate start from work", choice)
    assert re.search(r"^Next: make size INSTANCE=ml", choice, re.MULTILINE)


def test_an_account_is_checked_before_anything_is_deployed_to_it(checkout, first_run) -> None:
    checked = checkout.made("doctor")

    assert re.search(r"^credentials +arn:aws:", checked, re.MULTILINE)
    assert re.search(r"^stacks +(\d) of \1 are deployed", checked, re.MULTILINE)
    assert "USD a month" in checked


def test_every_command_that_the_docs_show_works(checkout, first_run, repository) -> None:
    """`aws` commands run unchanged. `make` accepts the arguments, and the tests above ran the target."""
    shown = shown_commands(repository)
    # The embedded AWS has no quotas: with this option, the AWS CLI validates the command without a request.
    checked = ("aws service-quotas ", " --generate-cli-skeleton output")
    others = [
        f"{line.partition(' #')[0]}{checked[1]}" if line.startswith(checked[0]) else line
        for line in shown
        if not line.startswith("make ")
    ]
    # Other tests cover targets for workflows, and for people with a repository on GitHub.
    elsewhere = {"init", "lock-packages", "new-pipeline", "new-step", "test", "test-workflows", "upgrade"}
    elsewhere |= {"teardown", "down", "history", "github-setup", "github-trust", "protect"}
    elsewhere |= {"models", "compare", "approve", "reject", "promote"}  # part: model life cycle
    path = f"{VIRTUAL_ENVIRONMENT / 'bin'}:{os.environ['PATH']}"
    script = "\n".join(["set -eu -o pipefail", *sorted(others, key=lambda line: not line.startswith("eval"))])
    checkout.made("up", "deploy", "outputs")

    ran = subprocess.run(
        ["bash", "-c", script.replace("make -s", f"make -s VENV={VIRTUAL_ENVIRONMENT}")],
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
            # Some targets need the folder of tests, which the copy does not have.
            dry = ["make", f"VENV={VIRTUAL_ENVIRONMENT}", "-n", *words]
            subprocess.run(dry, cwd=repository, env=checkout.environment, capture_output=True, check=True)
            assert words[0] in checkout.ran | elsewhere, f"no test of this file runs `{line}`"


def test_teardown_removes_everything_and_can_be_repeated(checkout, first_run) -> None:
    rejected, _ = checkout.make("teardown")  # without confirmation
    output = checkout.made("teardown", "ARGS=--yes")

    again = checkout.made("teardown", "ARGS=--yes")
    as_administrator = checkout.made("teardown", "ARGS=--yes --with-github")

    assert rejected != 0
    assert "-github-oidc, the stack of GitHub's roles" in output
    assert "nothing to do" in again
    assert "-github-oidc is deleted." in as_administrator
    assert checkout.client("s3").list_buckets()["Buckets"] == []
    assert checkout.client("sagemaker").list_pipelines()["PipelineSummaries"] == []


def test_a_killed_server_is_reported_and_started_again(checkout, first_run) -> None:
    server = checkout.server.process()
    assert server
    server.kill()
    psutil.wait_procs([server], timeout=60)  # it exists until the kernel has freed its memory

    code, output = checkout.make("start")

    assert code != 0
    assert "The embedded AWS does not run\nHint: Start it with: make up" in output
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
def test_wrong_arguments_are_rejected(checkout, words) -> None:
    code, _ = checkout.make(*words)

    assert code != 0


@pytest.mark.parametrize(
    "target", ["run", "start", "plan", "verify", "status", "report", "history", "rollback"]
)
def test_a_target_for_whole_pipelines_rejects_a_step(checkout, target) -> None:
    code, output = checkout.make("--dry-run", target, "STEP=one-step")

    assert code != 0
    assert f"make {target} works on all steps of a pipeline: omit STEP=one-step" in output


@pytest.mark.parametrize("target", ["run", "up"])
def test_the_first_command_installs_what_jobs_of_all_pipelines_need(checkout, target) -> None:
    output = checkout.made("--dry-run", "VENV=fresh", target)

    assert "fresh/job/bin/python" in output
    assert "fresh/xgboost/bin/python" in output


def test_what_make_test_was_given_reaches_no_command_of_these_tests(
    tmp_path, repository, monkeypatch
) -> None:
    for name, value in {"ARGS": "--durations=60", "ENV": "prod", "CACHE": "off", "V": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MAKEFLAGS", " -- ENV=prod ARGS=--durations=60 CACHE=off")

    checkout = copy_of(repository, tmp_path)

    output = checkout.made("--dry-run", "start", "drift")
    assert "--durations" not in output
    assert output.count("--env local") == 2
    assert "--cache on" in output
    assert checkout.made("help").startswith("\nRun\n"), "V would show the command first"


def test_help_explains_every_target(checkout, repository) -> None:
    output = checkout.made("help")

    targets = set(re.findall(r"^([a-z-]+):.*##", (repository / "Makefile").read_text(), re.MULTILINE))
    wanted = "help run test lint format plan deploy outputs upsert start teardown up down env logs"
    assert set(wanted.split(" ")) <= targets
    assert all(f"make {target}" in output for target in targets)
