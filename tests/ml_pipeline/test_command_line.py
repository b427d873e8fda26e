import io
import json
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from signal import SIGINT, pthread_kill

import boto3
import pytest
from rich.console import Console

from helpers.environments import Environment
from ml_pipeline import commands
from ml_pipeline.__main__ import main
from ml_pipeline.executions.executions import take_snapshot
from ml_pipeline.params import loading
from ml_pipeline.project import Project, open_project
from ml_pipeline.releases.staging import FILES, FOLDER, code_hash, read_code

Run = Callable[..., tuple[int, str, str]]
SLEEPER = b"import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"


@pytest.fixture
def run(stack: boto3.Session, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line; return its exit code and what it says."""

    def command(*words: str) -> tuple[int, str, str]:
        try:
            code = main(words)
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("restart",),
        ("start", "--cache", "maybe"),
        ("start", "--no"),
        ("data", "--env", "qa"),
        ("logs", "--execution", "latest"),
    ],
)
def test_what_is_no_command_is_refused(words: tuple[str, ...], run: Run) -> None:
    code, _, said = run(*words)

    assert code == 2
    assert "usage:" in said


def test_the_sample_is_refused_where_there_is_real_data(run: Run) -> None:
    code, said, _ = run("data", "--env", "staging")

    assert code == 0
    assert "No sample data in staging" in said


def test_parameters_that_are_not_valid_end_every_command(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / loading.BASE).write_bytes((loading.FOLDER / loading.BASE).read_bytes())
    (tmp_path / "local.json").write_text('{"trial": "${Nowhere}", "pyspark_process_instance_count": 0}')
    monkeypatch.setattr(loading.load_parameters, "__defaults__", (tmp_path,))

    code, _, said = run("plan", "--env", "local")

    assert code == 1
    assert "Traceback" not in said
    assert re.search(
        r"local.json: trial = .*nothing is named \$\{Nowhere\}; there are ArtifactBucketName", said
    )
    assert "local.json: pyspark_process_instance_count = 0: " in said


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "AWS refuses the credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS does not answer"),
        ({"AWS_PROFILE": "nobody-here"}, "No usable AWS credentials"),
        ({"AWS_REGION": "sa-east-1"}, "AWS_REGION is sa-east-1, but dev runs in"),
    ],
)
def test_wrong_credentials_endpoint_or_region_are_told(
    variables: dict[str, str], message: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    code, _, said = run("plan", "--env", "dev")

    assert code == 1
    assert message in said
    assert "Traceback" not in said


def test_a_plan_of_what_is_not_deployed_yet_says_so(run: Run) -> None:
    code, said, _ = run("plan", "--env", "pr-3")
    assert code == 0
    assert "cannot be planned before the stacks are deployed: pyspark-processing-pr-3-keys, " in said

    code, said, errors = run("plan", "--env", "pr-3", "--format", "markdown")
    assert (code, errors) == (0, "")
    assert said.startswith("## Plan for `pr-3`\n\n### Stacks\n\n**8 to add.**\n\n| Stack | Action |")
    assert "> The pipeline cannot be planned before the stacks are deployed" in said
    assert "| 4 KMS keys | 4.00 a month |" in said


def test_the_life_of_a_pipeline(run: Run) -> None:
    assert run("delete", "--env", "dev")[:2] == (0, "There is no pipeline ProcessingPipeline-dev.\n")
    assert "no pipeline ProcessingPipeline-dev. Create it" in run("logs", "--env", "dev")[2]

    code, said, _ = run("plan", "--env", "dev")
    assert (code, said.splitlines()[0]) == (0, "ProcessingPipeline-dev is new:")
    assert '+      "Name": "pyspark-processing",' in said

    code, said, _ = run("upsert", "--env", "dev")
    assert (code, said.splitlines()[-1]) == (0, "Pipeline ProcessingPipeline-dev created, version 1.")
    assert "is up to date" in run("plan", "--env", "dev")[1]
    assert "was never executed" in run("logs", "--env", "dev")[2]
    assert run("stop", "--env", "dev")[1] == "No execution of ProcessingPipeline-dev runs.\n"

    code, _, said = run("start", "--env", "dev")
    assert code == 1
    assert "There is no input at s3a://data-of-tests-dev/data_input/abalone.csv" in said
    assert run("data", "--env", "dev")[0] == 0

    assert run("delete", "--env", "dev")[1] == "Pipeline ProcessingPipeline-dev deleted.\n"


def test_an_earlier_version_can_be_brought_back_and_a_broken_one_cannot(
    run: Run, stack: boto3.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_staging = ("--env", "staging")
    monkeypatch.setenv("GITHUB_SHA", "1" * 40)
    assert "no history" in run("rollback", *on_staging)[2]
    assert run("history", *on_staging)[1].startswith("ProcessingPipeline-staging was not upserted yet")
    before = run("code-hash")[1].strip()
    assert run("upsert", *on_staging, "--code", before)[1].endswith("created, version 1.\n")
    assert run("upsert", *on_staging)[1].endswith("unchanged.\n"), "nothing to record"

    shutil.copytree(FOLDER, tmp_path / "code")
    (tmp_path / "code" / "data_utils.py").write_text("# worse")
    monkeypatch.setattr(read_code, "__defaults__", (tmp_path / "code",))
    monkeypatch.setenv("GITHUB_SHA", "2" * 40)
    assert f"not {before}; nothing was sent" in run("upsert", *on_staging, "--code", before)[2]
    assert run("upsert", *on_staging)[1].endswith("updated, version 2.\n")
    assert "No version before the current one succeeded" in run("rollback", *on_staging)[2]

    code, said, _ = run("rollback", *on_staging, "--to", "1111")

    assert (code, said) == (
        0,
        f"Pipeline ProcessingPipeline-staging updated: back to version 1 of commit {'1' * 40}, version 3.\n",
    )
    definition = stack.client("sagemaker").describe_pipeline(PipelineName="ProcessingPipeline-staging")
    assert f"code/{before}/data_utils.py" in definition["PipelineDefinition"]
    assert "nothing was changed" in run("rollback", *on_staging, "--to", before)[1]
    listed = json.loads(run("history", *on_staging, "--json")[1])
    assert [(each["version"], each["rolled_back_to"], each["commit"][0]) for each in listed] == [
        (3, 1, "1"),
        (2, None, "2"),
        (1, None, "1"),
    ]
    assert "3 (back to 1)" in run("history", *on_staging)[1]

    worse = listed[1]["code_hash"]
    bucket = "artifacts-of-tests-staging"
    stack.client("s3").delete_object(Bucket=bucket, Key=f"code/{worse}/data_utils.py")
    code, _, said = run("rollback", *on_staging, "--to", "2")
    assert code == 1
    assert f"its code is gone: s3://{bucket}/code/{worse}/data_utils.py" in said
    assert run("delete", *on_staging)[0] == 0


def test_teardown_deletes_a_pipeline_that_its_stacks_have_left_behind(
    run: Run, stack: boto3.Session, role: str
) -> None:
    step = {"Name": "no", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    stack.client("sagemaker").create_pipeline(
        PipelineName="ProcessingPipeline-pr-77",
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [step]}),
        RoleArn=role,
        ClientRequestToken="t" * 32,
    )

    first, again = (run("teardown", "--env", "pr-77", "--yes") for _ in range(2))

    assert first[0] == 0
    assert first[1].startswith("Pipeline ProcessingPipeline-pr-77 deleted.\nThere is no stack ")
    assert again[0] == 0
    assert again[1].startswith("There is no pipeline ProcessingPipeline-pr-77.\nThere is no stack ")


@pytest.fixture
def sleeping(stack: boto3.Session) -> Project:
    """The project with a job that sleeps, upserted and with data."""
    project = open_project(Environment("local"))
    asleep = replace(project, code={**project.code, "process_pyspark.py": SLEEPER})
    code = code_hash(asleep.code)
    names = {key: project.parameters[key].replace(code_hash(project.code), code) for key in FILES}
    asleep = replace(asleep, parameters=project.parameters.model_copy(update=names))
    console = Console(file=io.StringIO())
    assert commands.data(asleep, console) == commands.upsert(asleep, console) == 0
    return asleep


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_an_execution_that_runs_keeps_others_out_and_is_stopped_by_ctrl_c(
    sleeping: Project, run: Run
) -> None:
    sagemaker = sleeping.session.client("sagemaker")
    out = io.StringIO()
    main_thread = threading.main_thread().ident or 0
    refused: list[tuple[int, str, str]] = []

    def others() -> None:
        until(lambda: "step pyspark-processing Executing" in out.getvalue())
        refused.append(run("start", "--env", "local", "--no-wait"))
        refused.append(run("delete", "--env", "local"))
        pthread_kill(main_thread, SIGINT)

    thread = threading.Thread(target=others)
    thread.start()
    code = commands.start_execution(sleeping, Console(file=out, width=300), waiting=True, use_cache=False)
    thread.join()

    arn = re.findall(r"Started (\S+)", out.getvalue())[0]
    assert code == 130
    assert take_snapshot(sagemaker, arn).status == "Stopped"
    assert [answer[0] for answer in refused] == [1, 1]
    assert f"Another execution is Executing: {arn}" in refused[0][2]
    assert f"ml_pipeline stop --env local --execution {arn}" in refused[0][2]
    assert "Stop it first" in refused[1][2]
    assert "Status           Stopped" in out.getvalue()
    assert run("stop", "--env", "local", "--execution", arn)[1] == f"{arn} is over already.\n"


def test_starting_without_waiting_can_be_stopped_and_read_later(sleeping: Project, run: Run) -> None:
    out = io.StringIO()
    assert (
        commands.start_execution(sleeping, Console(file=out, width=300), waiting=False, use_cache=False) == 0
    )
    arn = re.findall(r"Started (\S+)", out.getvalue())[0]

    code, said, _ = run("stop", "--env", "local")
    logs = run("logs", "--env", "local")

    assert (code, said.splitlines()[-1]) == (0, f"{arn} is Stopped.")
    assert run("verify", "--env", "local")[:2] == (
        1,
        f"Not as it should be: it is Stopped: SageMaker gives no reason\n{arn}: 1 problem\n",
    )
    assert logs[0] == 0
    assert logs[1].startswith(f"Execution {arn}\nStep pyspark-processing: Stopped, job pipelines-")
