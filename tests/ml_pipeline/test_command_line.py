"""The commands in the small project, as users type them."""

import io
import json
import math
import re
import shutil
import threading
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from signal import SIGINT, pthread_kill

import boto3
import pytest
from rich.console import Console

from helpers.environments import Environment
from helpers.infra.stacks.configuration import stack_names
from helpers.project_settings import project_settings
from ml_pipeline.__main__ import main
from ml_pipeline.commands import COMMANDS, load_command, start
from ml_pipeline.executions.executions import take_snapshot
from ml_pipeline.params import DEFAULT_PIPELINE, files, spark_code
from tests.ml_pipeline.small_project import (
    ARTIFACTS,
    CODE,
    DATA,
    FOUNDATION,
    HELPER,
    INPUT,
    PIPELINE,
    STEP,
    TOPICS,
)
from tests.ml_pipeline.two_steps import NAME, add_pipeline

Run = Callable[..., tuple[int, str, str]]
SLEEPER = "import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"


@pytest.fixture
def run(stack: boto3.Session, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line; return its exit code and its output."""

    def command(*words: str) -> tuple[int, str, str]:
        try:
            code = main(words)
        except SystemExit as end:
            code = int(end.code or 0)
        output = capsys.readouterr()
        return code, output.out, output.err

    return command


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the jobs, whose files can be changed."""
    folder = tmp_path / "spark_jobs"
    shutil.copytree(spark_code.FOLDER, folder, ignore=shutil.ignore_patterns("sample_data"))
    monkeypatch.setattr(spark_code, "FOLDER", folder)
    return folder


@pytest.fixture
def two_pipelines(jobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a second pipeline with two steps."""
    add_pipeline(tmp_path, jobs, monkeypatch)


# Arguments.


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("restart",),
        ("start", "--cache", "maybe"),
        ("start", "--no"),
        ("data", "--env", "qa"),
        ("logs", "--execution", "latest"),
        ("tune", "--rounds", "0"),
    ],
)
def test_an_unknown_command_is_rejected(words: tuple[str, ...], run: Run) -> None:
    code, _, output = run(*words)

    assert code == 2
    assert "usage:" in output


def test_every_command_has_a_module_and_shows_its_options(run: Run) -> None:
    listed = run("--help")[1]

    for name in COMMANDS:
        assert re.search(rf"^  +{name}\b", listed, re.MULTILINE), name
        assert callable(load_command(name).run)
        code, output, _ = run(name, "--help")
        assert (code, "--env" in output) == (0, True)


def test_an_unknown_environment_is_rejected_with_those_that_there_are(run: Run) -> None:
    output = run("plan", "--env", "qa")[2]

    assert "unknown environment 'qa'; expected one of local, trial, live, pr-<number>\n" in output
    assert "Hint: Name one of them, or create infra/parameters/qa.json" in output


@pytest.mark.parametrize("command", ["plan", "upsert", "start", "logs", "size", "code-hash", "delete", "run"])
def test_an_unknown_pipeline_is_rejected_with_those_that_there_are(
    command: str, run: Run, two_pipelines: None
) -> None:
    code, out, output = run(command, "--env", "trial", "--pipeline", "rides")

    assert code == 1
    assert (
        f"unknown pipeline 'rides'; expected one of {DEFAULT_PIPELINE}, {NAME}\n"
        "Hint: Name one of them, or add the pipeline with: make new-pipeline NAME=rides"
    ) in output + out


@pytest.mark.parametrize("command", ["size", "events"])
def test_an_unknown_step_is_rejected_with_those_that_there_are(
    command: str, run: Run, two_pipelines: None
) -> None:
    code, _, output = run(command, "--env", "trial", "--pipeline", NAME, "--step", "joins")

    assert code == 1
    assert f"unknown step 'joins' of pipeline {NAME}; expected one of clean, join\n" in output
    assert f"Hint: Name one of them, or add the step with: make new-step PIPELINE={NAME} NAME=joins" in output


@pytest.mark.parametrize("command", ["plan", "upsert", "data"])
def test_parameters_that_are_not_valid_end_every_command(
    command: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(files.FOLDER, tmp_path / "params")
    (tmp_path / "params" / "trial.json").write_text(
        '{"trial": "${Nowhere}", "pyspark_process_instance_count": 0}'
    )
    monkeypatch.setattr(files, "FOLDER", tmp_path / "params")

    code, out, err = run(command, "--env", "trial")

    output = out + err
    assert code == 1
    assert "Traceback" not in output
    assert re.search(
        r"trial.json: trial = .*nothing is named \$\{Nowhere\}; there are ArtifactBucketName", output
    )
    assert "trial.json: pyspark_process_instance_count = 0: " in output


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "AWS rejects the credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS does not answer"),
        ({"AWS_PROFILE": "nobody-here"}, "No usable AWS credentials"),
        ({"AWS_REGION": "sa-east-1"}, "AWS_REGION is sa-east-1, but trial runs in"),
    ],
)
def test_wrong_credentials_endpoint_or_region_are_reported(
    variables: dict[str, str], message: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    code, _, output = run("plan", "--env", "trial")

    assert code == 1
    assert message in output
    assert "Traceback" not in output


# Output, and changes.


def test_an_environment_with_real_data_gets_no_sample(run: Run, stack: boto3.Session) -> None:
    code, output, _ = run("data", "--env", "live")

    assert code == 0
    assert output == f"live gets no sample data: deliver the input to s3a://{DATA}-live/{INPUT}.\n"
    assert stack.client("s3").list_objects_v2(Bucket=f"{DATA}-live")["KeyCount"] == 0


def test_a_plan_before_the_first_deployment_is_marked_as_such(run: Run) -> None:
    resources = len(FOUNDATION["Resources"]) + len(TOPICS["Resources"])
    names = ", ".join(stack_names(Environment("pr-3")))

    code, output, _ = run("plan", "--env", "pr-3")
    assert code == 0
    assert f"cannot be planned before the stacks are deployed: {names}." in output

    code, output, errors = run("plan", "--env", "pr-3", "--format", "markdown")
    assert (code, errors) == (0, "")
    heading = f"## Plan for `pr-3`\n\n### Stacks\n\n**{resources} to add.**\n\n| Stack | Action |"
    assert output.startswith(heading)
    assert "> The pipelines cannot be planned before the stacks are deployed" in output
    assert "| 2 KMS keys | 2.00 a month |" in output


def test_the_life_of_a_pipeline(run: Run) -> None:
    name, on_trial = f"{PIPELINE}-trial", ("--env", "trial")
    assert run("delete", *on_trial)[:2] == (0, f"There is no pipeline {name}.\n")
    assert f"no pipeline {name}\nHint: Create it" in run("logs", *on_trial)[2]

    code, output, _ = run("plan", *on_trial)
    assert code == 0
    assert f"{name} is new:" in output.splitlines()
    assert f'+      "Name": "{STEP}",' in output
    assert f"An execution of {name}, step {STEP}: " in output

    code, output, _ = run("upsert", *on_trial)
    assert (code, output.splitlines()[-1]) == (0, f"Pipeline {name} created, version 1.")
    assert f"{name} is up to date" in run("plan", *on_trial)[1]
    assert "was never executed" in run("logs", *on_trial)[2]
    assert run("stop", *on_trial)[1] == f"No execution of {name} is running.\n"
    assert run("history", *on_trial)[1].count("none") == 1, "no execution of the only version"

    code, _, output = run("start", *on_trial)
    assert code == 1
    assert f"There is no input input_table of step {STEP} at s3a://{DATA}-trial/{INPUT}\n" in output
    assert "make data ENV=trial" in output
    assert run("data", *on_trial)[:2] == (
        0,
        f"The sample fares.csv was uploaded to s3a://{DATA}-trial/{INPUT}.\n",
    )

    assert run("delete", *on_trial)[1] == f"Pipeline {name} deleted.\n"


def test_all_pipelines_are_planned_upserted_and_deleted_together(run: Run, two_pipelines: None) -> None:
    names = [f"{PIPELINE}-trial", "Joins-trial"]
    every = ("--env", "trial", "--pipeline", "all")

    planned = run("plan", "--env", "trial")[1]
    assert all(f"{name} is new:" in planned for name in names)
    for step in (STEP, "clean", "join"):
        assert re.search(rf"An execution of \S+, step {step}: about ", planned), step
    assert run("check", "--env", "trial")[1] == "".join(f"{name}: no findings\n" for name in names)

    code, output, _ = run("upsert", *every)
    upserted = [line for line in output.splitlines() if line.startswith("Pipeline ")]
    assert code == 0
    assert [line.split(",")[0] for line in upserted] == [f"Pipeline {name} created" for name in names]
    assert upserted[1] == "Pipeline Joins-trial created, version 1."
    listed = json.loads(run("history", "--env", "trial", "--json")[1])
    assert [each["version"] for each in listed[NAME]] == [1]
    assert list(listed) == [DEFAULT_PIPELINE, NAME]
    drift = json.loads(run("drift", "--env", "trial", "--json")[1])
    assert [(each["name"], each["drifted"]) for each in drift["pipelines"]] == [
        (name, False) for name in names
    ]

    assert run("delete", *every)[1] == "".join(f"Pipeline {name} deleted.\n" for name in names)


def test_a_command_for_one_pipeline_leaves_the_other_alone(run: Run, two_pipelines: None) -> None:
    one = ("--env", "trial", "--pipeline", NAME)

    assert "Pipeline Joins-trial created" in run("upsert", *one)[1]
    assert run("delete", "--env", "trial")[1] == f"There is no pipeline {PIPELINE}-trial.\n"
    assert run("delete", *one)[1] == "Pipeline Joins-trial deleted.\n"


def test_the_hash_of_code_is_that_of_the_steps(run: Run, two_pipelines: None, jobs: Path) -> None:
    def hashes() -> list[str]:
        return [run("code-hash", "--pipeline", name)[1] for name in (DEFAULT_PIPELINE, NAME, "all")]

    before = hashes()
    (jobs / "join.py").write_text((jobs / "join.py").read_text() + "\n")
    after = hashes()

    assert len({*before}) == 3
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, False]


def test_sizes_are_those_of_the_instances_of_a_step(run: Run, two_pipelines: None) -> None:
    code, output, _ = run("size", "--env", "trial", "--pipeline", NAME, "--step", "join")

    assert code == 0
    assert "ml.m5.large" in output


def test_an_earlier_version_can_be_brought_back_and_a_broken_one_cannot(
    run: Run, stack: boto3.Session, jobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, on_live = f"{PIPELINE}-live", ("--env", "live")
    monkeypatch.setenv("GITHUB_SHA", "1" * 40)
    assert "no history" in run("rollback", *on_live)[2]
    assert run("history", *on_live)[1] == f"{name} has no history: it was not upserted yet.\n"
    before = run("code-hash", *on_live)[1].strip()
    assert run("upsert", *on_live, "--code", before)[1].endswith("created, version 1.\n")
    assert run("upsert", *on_live)[1].endswith("unchanged.\n"), "nothing to record"

    (jobs / HELPER).write_text("# worse")
    monkeypatch.setenv("GITHUB_SHA", "2" * 40)
    assert f"not {before}; nothing was sent" in run("upsert", *on_live, "--code", before)[2]
    assert run("upsert", *on_live)[1].endswith("updated, version 2.\n")
    assert "No version before the current one succeeded" in run("rollback", *on_live)[2]

    code, output, _ = run("rollback", *on_live, "--to", "1111")

    assert (code, output) == (
        0,
        f"Pipeline {name} is back to version 1 of commit {'1' * 40}, version 3.\n",
    )
    definition = stack.client("sagemaker").describe_pipeline(PipelineName=name)
    assert f"code/{before}/{HELPER}" in definition["PipelineDefinition"]
    assert "nothing was changed" in run("rollback", *on_live, "--to", before)[1]
    listed = json.loads(run("history", *on_live, "--json")[1])[DEFAULT_PIPELINE]
    assert [(each["version"], each["rolled_back_to"], each["commit"][0]) for each in listed] == [
        (3, 1, "1"),
        (2, None, "2"),
        (1, None, "1"),
    ]
    assert "3 (back to 1)" in run("history", *on_live)[1]

    worse, bucket = listed[1]["code_hash"], f"{ARTIFACTS}-live"
    stack.client("s3").delete_object(Bucket=bucket, Key=f"code/{worse}/{HELPER}")
    code, _, output = run("rollback", *on_live, "--to", "2")
    assert code == 1
    assert f"its code is gone: s3://{bucket}/code/{worse}/{HELPER}" in output
    assert run("delete", *on_live)[0] == 0


def test_teardown_deletes_a_pipeline_that_its_stacks_have_left_behind(
    run: Run, stack: boto3.Session, role: str
) -> None:
    step = {"Name": "no", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    stack.client("sagemaker").create_pipeline(
        PipelineName=f"{PIPELINE}-pr-77",
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [step]}),
        RoleArn=role,
        ClientRequestToken="t" * 32,
    )

    first, again = (run("teardown", "--env", "pr-77", "--yes") for _ in range(2))

    assert first[0] == 0
    assert first[1].startswith(f"Pipeline {PIPELINE}-pr-77 deleted.\nThere is no stack ")
    assert again[0] == 0
    assert again[1].startswith(f"There is no pipeline {PIPELINE}-pr-77.\nThere is no stack ")


def test_teardown_deletes_a_pipeline_whose_module_is_gone(
    run: Run, two_pipelines: None, monkeypatch: pytest.MonkeyPatch, stack: boto3.Session
) -> None:
    assert run("upsert", "--env", "trial", "--pipeline", NAME)[0] == 0
    monkeypatch.undo()
    monkeypatch.setattr("ml_pipeline.releases.removal.teardown", lambda *_, before, **__: before())

    code, output, _ = run("teardown", "--env", "trial", "--yes")

    assert (code, output) == (
        0,
        f"There is no pipeline {PIPELINE}-trial.\nPipeline Joins-trial deleted.\n",
    )


# Executions.


@pytest.fixture
def sleeping(run: Run, jobs: Path) -> str:
    """The name of the first pipeline in local, upserted with a job that sleeps, and with data."""
    (jobs / CODE).write_text(SLEEPER)
    assert run("data")[0] == run("upsert")[0] == 0
    return f"{PIPELINE}-local"


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def happens(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether a condition becomes true in time."""
    with suppress(AssertionError):
        until(condition, seconds)
    return condition()


def press_ctrl_c(thread: int, noticed: Callable[[], bool]) -> None:
    """Interrupt a thread until it notices.

    Python drops a KeyboardInterrupt during a callback of the garbage collector (Hypothesis has one) or in a
    `__del__`
    (py4j has some), which occurs in long test sessions.
    """
    for _ in range(6):
        pthread_kill(thread, SIGINT)
        if happens(noticed, seconds=20):
            return


def start_in_local(out: io.StringIO, *, wait: bool) -> int:
    arguments = Namespace(
        env=Environment("local"),
        pipeline=DEFAULT_PIPELINE,
        wait=wait,
        cache="off",
        since=None,
        minutes=math.inf,
        state=False,
    )
    return start.run(arguments, Console(file=out, width=300))


def test_an_execution_that_runs_keeps_others_out_and_is_stopped_by_ctrl_c(
    sleeping: str, run: Run, stack: boto3.Session
) -> None:
    out = io.StringIO()
    main_thread = threading.main_thread().ident or 0
    rejected: list[tuple[int, str, str]] = []

    def others() -> None:
        until(lambda: f"step {STEP} Executing" in out.getvalue())
        rejected.append(run("start", "--no-wait"))
        rejected.append(run("delete"))
        press_ctrl_c(main_thread, lambda: "Interrupted: stopping" in out.getvalue())

    thread = threading.Thread(target=others)
    thread.start()
    code = start_in_local(out, wait=True)
    thread.join()

    arn = re.findall(r"Started (\S+)", out.getvalue())[0]
    assert code == 130
    assert take_snapshot(stack.client("sagemaker"), arn).status == "Stopped"
    assert [answer[0] for answer in rejected] == [1, 1]
    assert f"Another execution is Executing: {arn}" in rejected[0][2]
    assert "or stop it with: make stop ENV=local" in rejected[0][2]
    assert "Stop it first with: make stop ENV=local" in rejected[1][2]
    assert "Status           Stopped" in out.getvalue()
    assert run("stop", "--execution", arn)[1] == f"{arn} has already finished.\n"


def test_starting_without_waiting_can_be_stopped_and_read_later(sleeping: str, run: Run) -> None:
    out = io.StringIO()
    assert start_in_local(out, wait=False) == 0
    arn = re.findall(r"Started (\S+)", out.getvalue())[0]

    code, output, _ = run("stop")
    logs = run("logs")

    assert (code, output.splitlines()[-1]) == (0, f"{arn} is Stopped.")
    assert run("verify")[:2] == (
        1,
        f"Verification failed: it is Stopped: SageMaker gives no reason\n{arn}: 1 problem\n",
    )
    assert logs[0] == 0
    job = f"{project_settings().project_name}-local-"
    assert logs[1].startswith(f"Execution {arn}\nStep {STEP}: Stopped, job {job}")
    assert f"unknown step 'joins' of {arn}; expected one of {STEP}" in run("logs", "--step", "joins")[2]
