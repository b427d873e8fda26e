"""From a pull request to production and back, executed: the tests are one scenario, in order.

test_static.py covers what GitHub itself decides (approval, queues, tokens).
"""

import io  # part: model life cycle
import json
import os
import re
import shutil  # part: model life cycle
import subprocess
import tarfile  # part: model life cycle
import uuid  # part: model life cycle
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from helpers.algorithm_images import algorithm_image_accounts  # part: model life cycle
from helpers.environments import Environment, has_previews, promoted
from helpers.infra.stacks import load_stacks
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.previews import with_new_expiry
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.local_aws.xgboost_container.environment import program  # part: model life cycle
from helpers.project_settings import project_settings
from ml_pipeline.params import DEFAULT_PIPELINE
from ml_pipeline.params.documents import read_document
from ml_pipeline.params.files import parameter_file
from ml_pipeline.pipelines import find_pipeline
from tests.quiet_console import QuietConsole
from tests.workflows.github_server import recording_github
from tests.workflows.sandbox import REPOSITORY, ROOT, Run, Sandbox, pull_request

pytestmark = pytest.mark.timeout(600)
previews = pytest.mark.skipif(not has_previews(), reason="this project has no previews")
PROJECT = project_settings().project_name
REGION = project_settings().region
FIRST, NEXT, *LATER = promoted()
LAST = promoted()[-1]
PROTECTED = [name for name in promoted() if name.settings.protected]
PUSH = {"ref": "refs/heads/main"}
LABELED = pull_request("labeled", labels=["preview"], label={"name": "preview"})


class Markdown(SingleFileSnapshotExtension):
    """What users see, as a readable file."""

    file_extension = "md"
    _write_mode = WriteMode.TEXT


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory, server) -> Iterator[Sandbox]:
    with recording_github() as github:
        yield Sandbox(tmp_path_factory.mktemp("sandbox"), server, github)


@pytest.fixture(scope="module")
def aws(aws: boto3.Session) -> boto3.Session:
    """The session of all tests, in the region of the project."""
    return boto3.Session(region_name=REGION)


@pytest.fixture
def seen(snapshot: Any) -> Any:
    return snapshot.use_extension(Markdown)


ROLES = {FIRST: "FIRST", LAST: "LAST", NEXT: "NEXT"}
"""The environments of this scenario; with two, the last one is also the next one."""
NAMES = (
    (rf"\b{PROJECT}-(?=({'|'.join(promoted())}|pr-\d+)-)", "PROJECT-"),
    *((rf"(?<![\w/]){name}(?!\w)", role) for name, role in ROLES.items()),
    (re.escape(REPOSITORY), "OWNER/REPOSITORY"),
    (REGION, "REGION"),
    (r"\b\d+\.\d\d a month", "N a month"),  # a price of the region
    (r"\b\d+\.\d+ USD an hour", "N USD an hour"),
    (r" +([│┃])", r" \1"),  # column widths depend on the names
    (r"━+", "━"),
    (r"─+", "─"),
)
"""Values that differ between projects."""
CHANGING = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9a-f]{40}\b", "COMMIT"),
    (r"\b(subnet|sg|vpc|vpce|rtb|fs)-[0-9a-f]{8,17}\b", r"\1-ID"),
    (r"(-[a-z]+bucket-)[a-z0-9]{12}", r"\1ID"),
    (r"\b[0-9a-f]{16}\b", "HASH"),
    (r"execution/[a-z0-9]{12}", "execution/ID"),
    # The step's name can be truncated.
    (
        rf"(PROJECT-({'|'.join(set(ROLES.values()))}|pr-\d+))[\w-]*-[a-z0-9]{{12}}-[A-Za-z0-9]{{10}}-\d\b",
        r"\1-JOB-ID",
    ),
    (r"algo-1-\d+", "algo-1-ID"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"Command 'spark-submit .*", "Command 'spark-submit …"),  # truncated at the maximum length of a message
    (r"(spark_ui_logs/[\w-]+/)[a-z0-9]{12}", r"\1ID"),
    (r"app-\d{14}-\d+|local-\d{13}|application_\d{13}_\d{4}", "app-ID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?", "TIME"),
    (r"\b\d\d:\d\d:\d\dZ?", "TIME"),
    (r"Makefile:\d+", "Makefile:N"),
    # The cost of executions and steps depends on their time.
    (r"(?m)^(\| (\*\*One execution|step ).*\| (\*\*)?)(less than )?[\d.]+(?=(\*\*)? \|$)", r"\1N"),
    (r"\b\d+ min \d\d s\b|\b\d+(\.\d+)? s\b", "N s"),
    (r"\b\d+, with \d+ cores? and [\d,]+ MiB each", "N, with N cores and N MiB each"),
    (r"\b(?!123456789012)[0-9a-f]{12}\b", "SHORT"),
    (r"(?m)^TIME (CREATE|UPDATE|DELETE)_\w+ .*\n", ""),  # CloudFormation decides the order
    (r"(?m)^Waiting for .*\n", ""),  # if stacks take a while
)
"""Values that differ between runs: IDs, hashes, times."""
PARAMETERS = read_document(parameter_file(DEFAULT_PIPELINE)).values
PLACES = {
    name: str(PARAMETERS[key]).rsplit("}/", 1)[-1]
    for key, name in (
        ("pyspark_process_code", "JOB.py"),
        ("pyspark_process_data_input", "INPUT"),
        ("pyspark_process_data_output", "OUTPUT"),
        ("pyspark_process_sample", "SAMPLE"),
    )
    if key in PARAMETERS
}
"""Of the first pipeline's job: its file, the keys of its data in the bucket, and its sample."""
OF_PIPELINE = (
    (re.escape(PARAMETERS["pipeline_name"].replace("${Environment}", "")), "PIPELINE-"),
    (rf"(?<=spark_ui_logs/){re.escape(PARAMETERS['trial'])}(?=/)", "TRIAL"),
    *((rf"\b{name}\b", "STEP") for name in find_pipeline(DEFAULT_PIPELINE).step_types(PARAMETERS)),
    *((rf"\b{re.escape(place)}\b", name) for name, place in PLACES.items()),
)
"""Values that differ between pipelines."""


def normalized(text: str) -> str:
    for pattern, instead in (*NAMES, *CHANGING, *OF_PIPELINE):
        text = re.sub(pattern, instead, text)
    return text


def pipeline_of(environment: str) -> str:
    return str(PARAMETERS["pipeline_name"].replace("${Environment}", environment))


def plans_of(comment: str) -> dict[str, str]:
    """Return the plan of each environment in a comment, in order."""
    plans = re.split(r"(?m)^## Plan for `(\w+)`\n", comment)[1:]
    return dict(zip(plans[::2], plans[1::2], strict=True))


def commands_of(summary: str) -> list[str]:
    """Return the commands that a job's summary lists, each with its status sign."""
    return re.findall(r"<summary>(. <code>.*?)</code>", summary)


def jobs_of(environment: str) -> list[str]:
    """Return the jobs that deploy an environment, in order."""
    return [
        f"deploy-environment/Deploy {environment}",
        f"follow-pipelines/Run pipelines of {environment}",
        f"run-pipelines/Verify {environment}",
    ]


def summary_of(run: Run, environment: str, first: str = "") -> str:
    """Return the summaries of these jobs, as they appear on the page of the run."""
    deploy, *others = jobs_of(environment)
    return "\n".join(run.summaries[job] for job in (first or deploy, *others) if job in run.summaries)


def tag_commit(aws: boto3.Session, environment: str, commit: str) -> None:
    sagemaker = aws.client("sagemaker")
    arn = sagemaker.describe_pipeline(PipelineName=pipeline_of(environment))["PipelineArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "gitops:commit", "Value": commit}])


def stacks(aws: boto3.Session, environment: str) -> dict[str, str]:
    found = aws.client("cloudformation").describe_stacks()["Stacks"]
    prefix = f"{PROJECT}-{environment}-"
    ours = [each for each in found if each["StackName"].startswith(prefix)]
    states = {each["StackName"].removeprefix(prefix): each["StackStatus"] for each in ours}
    assert len(states) == len(ours), "a name is there twice"
    return states


def nothing_deployed(aws: boto3.Session, environment: str) -> bool:
    """Return whether an environment has no resources. A killed plan leaves change sets of empty stacks."""
    return set(stacks(aws, environment).values()) <= {"REVIEW_IN_PROGRESS"}


def outputs(aws: boto3.Session, environment: str, stack: str) -> dict[str, str]:
    (found,) = aws.client("cloudformation").describe_stacks(StackName=f"{PROJECT}-{environment}-{stack}")[
        "Stacks"
    ]
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}


def pipelines(aws: boto3.Session) -> dict[str, str]:
    sagemaker = aws.client("sagemaker")
    listed = sagemaker.list_pipelines()["PipelineSummaries"]
    names = [each["PipelineName"] for each in listed]
    return {name: sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] for name in names}


def make(sandbox: Sandbox, aws: boto3.Session, *words: str) -> "subprocess.Popen[str]":
    """Run make as an administrator during setup, or as a developer outside of workflows."""
    return subprocess.Popen(
        ["make", f"VENV={ROOT / '.venv'}", *words],
        cwd=ROOT,
        env={**os.environ, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def deliver(aws: boto3.Session, environment: str) -> None:
    """Deliver the input, as another team does if there is no sample data."""
    aws.client("s3").put_object(
        Bucket=outputs(aws, environment, "storage")["DataBucketName"],
        Key=PLACES["INPUT"],
        Body=(ROOT / "spark_jobs/sample_data" / PLACES["SAMPLE"]).read_bytes(),
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=outputs(aws, environment, "keys")["DataKeyArn"],
    )


def left_of(aws: boto3.Session, environment: str) -> list[str]:
    """Return what exists of an environment: stacks, pipelines, buckets, roles, log groups."""
    name = f"{PROJECT}-{environment}-"
    buckets = [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]]
    roles = [each["RoleName"] for each in aws.client("iam").list_roles()["Roles"]]
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return [
        *stacks(aws, environment),
        *(each for each in pipelines(aws) if each.endswith(f"-{environment}")),
        *(each for each in (*buckets, *roles) if each.startswith(name)),
        *(each["logGroupName"] for each in groups),
    ]


def lose_runner(
    sandbox: Sandbox, workflow: str, event: str, payload: dict[str, Any], when: str, *options: str
) -> None:
    """Run a workflow whose runner is lost with all its processes as soon as its log has a text."""
    with sandbox.running(workflow, event, payload, [*sandbox.variables(), *options]) as process:
        assert any(re.search(when, line) for line in process.stdout), "it came to its end"
        for each in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            with suppress(psutil.NoSuchProcess):  # it may have ended
                each.kill()


def comments(sandbox: Sandbox, mark: str) -> list[str]:
    return [
        each["body"]
        for each in sandbox.github.comments.get(12, [])
        if each["body"].startswith(f"<!-- {mark}")
    ]


# --- A stranger's pull request ------------------------------------------------------------------------------


FOR_PREVIEWS = [
    ("preview", pull_request("labeled", labels=["preview"], fork=True, label={"name": "preview"})),
    ("preview-teardown", pull_request("closed", labels=["preview"], fork=True)),
    ("preview", pull_request("labeled", labels=["preview", "defect"], label={"name": "defect"})),
    ("preview", pull_request("synchronize", labels=["defect"])),
    ("preview-teardown", pull_request("closed", labels=["defect"])),
    ("preview-teardown", pull_request("unlabeled", labels=["preview"], label={"name": "defect"})),
]


@pytest.mark.parametrize(
    ("workflow", "event"),
    [
        ("plan", pull_request("opened", fork=True)),
        *(FOR_PREVIEWS if has_previews() else []),
    ],
)
def test_nothing_is_done_for_a_fork_or_another_label(sandbox, workflow: str, event: dict[str, Any]) -> None:
    run = sandbox.run(workflow, "pull_request", event)

    assert run.code == 0
    assert run.steps == []
    assert sandbox.assumed() == []


CI = {
    "lint": {},
    "test": {"ARGS": "tests/helpers/test_errors.py", "WAIT": "no"},
    "browser": {"ARGS": "--collect-only"},
    "fork": {"ARGS": "--collect-only"},
    "workflows": {"ARGS": "-k test_static"},
    "security": {"ARGS": "-k test_secrets"},
}
"""The jobs of ci, with settings that make them fast; other tests cover the skipped parts without act."""


@pytest.mark.parametrize("job", CI)
def test_a_fork_gets_ci_without_credentials(sandbox, server_folder, tmp_path, job: str) -> None:
    quick = "[tool.coverage.run]\nparallel = true\n[tool.coverage.report]\nfail_under = 0\n"
    (tmp_path / "coverage.toml").write_text(quick)
    environment = {"LOCAL_AWS_HOME": str(server_folder), "COVERAGE_RCFILE": str(tmp_path / "coverage.toml")}

    run = sandbox.run(
        "ci", "pull_request", pull_request("opened", fork=True), ["--job", job], {**environment, **CI[job]}
    )

    print(run.output if run.code else "")
    if run.code:  # the vulnerability database is on the network
        assert run.failed_step() == "Audit dependencies"
        assert "NOT AUDITED: the advisory database does not answer" in run.output
    assert len(commands_of("".join(run.summaries.values()))) == len(
        [step for step in run.steps if step.name not in {"Check out", "Set up"}]
    ), "each step is in the summary"
    assert sandbox.assumed() == []


# --- A copy that nobody has set up yet ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workflow", "event", "payload"),
    [
        ("deploy", "push", PUSH),
        ("sweep", "schedule", {"schedule": "17 2 * * *"}),
        ("drift", "schedule", {"schedule": "43 3 * * *"}),
        ("plan", "pull_request", pull_request("opened")),
        *(
            [
                ("preview", "pull_request", LABELED),
                ("preview-teardown", "pull_request", pull_request("closed", labels=["preview"])),
                ("preview-sweep", "schedule", {"schedule": "17 2 * * *"}),
            ]
            if has_previews()
            else []
        ),
    ],
)
def test_a_copy_that_is_not_set_up_does_nothing_and_does_not_fail(
    sandbox, workflow: str, event: str, payload: dict[str, Any]
) -> None:
    run = sandbox.run(workflow, event, payload, is_set_up=False)

    assert run.code == 0, run.output
    assert "failure" not in run.results.values()
    assert sandbox.assumed() == []
    if workflow == "plan":
        (comment,) = comments(sandbox, "plan")
        assert comment.count("Not set up on GitHub yet") == len(promoted())
        sandbox.github.comments.clear()


# --- A pull request -----------------------------------------------------------------------------------------


def test_a_pull_request_gets_a_plan(sandbox, aws, seen) -> None:
    """Including a lost runner in the middle of a plan."""
    opened = pull_request("opened")
    lose_runner(sandbox, "plan", "pull_request", opened, f"{FIRST}: account")
    asked = len(sandbox.assumed())

    run = sandbox.run("plan", "pull_request", opened)

    assert run.code == 0, run.output
    assert sorted(sandbox.assumed()[asked:]) == [
        f"plan arn:aws:iam::123456789012:role/{name}-plan" for name in sorted(promoted())
    ]
    (comment,) = comments(sandbox, "plan")
    plans = plans_of(comment)
    assert tuple(plans) == promoted()
    assert normalized(plans[FIRST]) == seen
    assert nothing_deployed(aws, FIRST), "a plan changes nothing"


@previews
def test_a_label_deploys_a_preview_and_runs_it(sandbox, aws, seen) -> None:
    """Including a lost runner, after which the preview has only some of its stacks."""
    lose_runner(sandbox, "preview", "pull_request", LABELED, f"CREATE_COMPLETE.*{PROJECT}-pr-12-network")
    assert pipeline_of("pr-12") not in pipelines(aws)

    run = sandbox.run("preview", "pull_request", LABELED)

    assert run.code == 0, run.output
    assert set(stacks(aws, "pr-12")) == {
        *("keys", "network", "storage", "identity"),
        "models",  # part: model life cycle
    }
    assert set(stacks(aws, "pr-12").values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert pipeline_of("pr-12") in pipelines(aws)
    (comment,) = comments(sandbox, "preview")
    assert re.search(r"^Rows +[\d,]+ in, 0 rejected$", comment, re.MULTILINE)
    assert normalized(comment) == seen


def test_a_plan_that_fails_is_reported(sandbox) -> None:
    """A broken template: the comment reports it for each environment, and the workflow fails."""
    sandbox.change("infra/keys.yaml", "Resources:", "Resources: [")

    run = sandbox.run("plan", "pull_request", pull_request("synchronize"))
    sandbox.git("reset", "--quiet", "--hard", "HEAD~1")

    assert run.code != 0
    assert "infra/keys.yaml is not valid YAML" in run.output
    (comment,) = comments(sandbox, "plan")
    assert comment.count("❌ Planning failed; see the log.") == len(promoted())


# --- Merged -------------------------------------------------------------------------------------------------


def test_a_deployment_may_be_killed(sandbox, aws) -> None:
    """The runner is lost during the deployment of the first environment, which has some of its stacks."""
    lose_runner(sandbox, "deploy", "push", PUSH, f"CREATE_COMPLETE.*{PROJECT}-{FIRST}-network")

    assert "network" in stacks(aws, FIRST)
    assert pipeline_of(FIRST) not in pipelines(aws)


def test_an_undelivered_step_stops_the_workflow_with_the_fix(sandbox, aws, seen) -> None:
    """The next run completes the first environment, and continues to the next one, which has no input yet."""
    run = sandbox.run("deploy", "push", PUSH)

    assert run.results == {
        **dict.fromkeys(jobs_of(FIRST), "success"),
        f"deploy-environment/Deploy {NEXT}": "success",
        f"follow-pipelines/Run pipelines of {NEXT}": "failure",
    }
    assert run.failed_step() == "Run pipelines"
    summary = summary_of(run, NEXT)
    assert f"Hint: Deliver the input ({NEXT} gets no sample)" in summary
    assert normalized(summary) == seen
    assert all(nothing_deployed(aws, name) for name in LATER)


def test_a_merge_is_promoted_to_production_with_the_same_code(sandbox, aws, seen) -> None:
    """An administrator has set up the later environments as documented, and data was delivered."""
    deliver(aws, NEXT)
    for name in LATER:
        administrator = make(sandbox, aws, "deploy", f"ENV={name}")
        output, _ = administrator.communicate()
        assert administrator.returncode == 0, output
        deliver(aws, name)

    run = sandbox.run("deploy", "push", PUSH)

    assert run.code == 0, run.output
    assert set(run.results.values()) == {"success"}
    approvals = [f"Approval of {name}" for name in promoted() if name.settings.approval]
    assert sorted(run.results) == sorted([*approvals, *(job for name in promoted() for job in jobs_of(name))])
    hashes = {
        re.search(r"make upsert PIPELINE=all CODE=(\w+)", summary_of(run, name))[1] for name in promoted()
    }
    assert len(hashes) == 1
    (code,) = hashes
    for environment in promoted():
        assert f"code/{code}/" in pipelines(aws)[pipeline_of(environment)]
    assert normalized(summary_of(run, LAST)) == seen


# --- A bad change -------------------------------------------------------------------------------------------


def test_a_second_plan_replaces_the_first(sandbox, seen) -> None:
    sandbox.change(
        "spark_jobs/process_pyspark.py",
        'if __name__ == "__main__":\n',
        "if __name__ == \"__main__\":\n    raise KeyError('rings')\n",
    )

    run = sandbox.run("plan", "pull_request", pull_request("synchronize"))

    assert run.code == 0, run.output
    (comment,) = comments(sandbox, "plan")
    plans = plans_of(comment)
    assert tuple(plans) == promoted()
    assert normalized(plans[FIRST]) == seen


def test_a_bad_change_stops_at_the_first_environment(sandbox, aws, seen) -> None:
    before = pipelines(aws)

    run = sandbox.run("deploy", "push", PUSH)

    assert run.results == {
        f"deploy-environment/Deploy {FIRST}": "success",
        f"follow-pipelines/Run pipelines of {FIRST}": "failure",
    }
    assert run.failed_step() == "Run pipelines"
    summary = summary_of(run, FIRST)
    assert "KeyError" in summary
    assert f"rollback.yml -f environment={FIRST}" in summary
    assert normalized(summary) == seen
    changed = {name for name, definition in pipelines(aws).items() if definition != before[name]}
    assert changed == {pipeline_of(FIRST)}, "the others are untouched"


def test_what_is_typed_is_validated_before_any_role_is_assumed(sandbox, tmp_path: Path) -> None:
    before = sandbox.assumed()
    owned = tmp_path / "owned"

    for workflow, inputs in (
        ("rollback", {"environment": FIRST, "to": f"$(touch {owned})"}),
        ("rollback", {"environment": FIRST, "to": "", "pipeline": f"$(shell touch {owned})"}),
        # begin: model life cycle
        ("promote-model", {"environment": NEXT, "from": FIRST, "version": f"$(touch {owned})"}),
        # end: model life cycle
        ("teardown", {"environment": NEXT, "confirmation": NEXT[:-1]}),
        ("teardown", {"environment": f"$(shell touch {owned})", "confirmation": f"$(shell touch {owned})"}),
        *(("teardown", {"environment": name, "confirmation": name}) for name in PROTECTED),
    ):
        run = sandbox.run(workflow, "workflow_dispatch", {"inputs": inputs})
        assert run.code != 0
        assert run.failed_step() == "Validate inputs"

    assert sandbox.assumed() == before
    assert not owned.exists()


def test_a_rollback_restores_the_previous_definition(sandbox, aws, seen) -> None:
    """Including a lost runner after the definition was registered, but before it has run."""
    bad = pipelines(aws)[pipeline_of(FIRST)]
    inputs = {"inputs": {"environment": FIRST, "to": ""}}
    lose_runner(sandbox, "rollback", "workflow_dispatch", inputs, "is back to version 1")

    run = sandbox.run("rollback", "workflow_dispatch", inputs)

    assert run.code == 0, run.output
    good = pipelines(aws)[pipeline_of(FIRST)]
    assert good != bad
    summary = summary_of(run, FIRST, f"rollback-environment/Roll back {FIRST}")
    assert re.search(r"^Rows +[\d,]+ in, 0 rejected$", summary, re.MULTILINE)
    assert normalized(summary) == seen


def test_an_approval_comes_before_what_it_is_for(sandbox, aws) -> None:
    before = pipelines(aws)[pipeline_of(LAST)]

    run = sandbox.run("rollback", "workflow_dispatch", {"inputs": {"environment": LAST, "to": "999"}})

    approvals = {"Approval": "success"} if LAST.settings.approval else {}
    assert run.results == {
        "Validate": "success",
        **approvals,
        f"rollback-environment/Roll back {LAST}": "failure",
    }
    assert run.failed_step() == "Roll back"
    assert "No upsert matches '999'" in run.output
    assert pipelines(aws)[pipeline_of(LAST)] == before


def test_an_outdated_commit_is_not_deployed(sandbox, aws) -> None:
    """The run of an earlier merge is approved or started again after a later one was deployed."""
    newest = sandbox.git("rev-parse", "HEAD")
    sandbox.git("reset", "--quiet", "--hard", "HEAD~1")
    tag_commit(aws, FIRST, newest)

    run = sandbox.run("deploy", "push", PUSH)
    sandbox.git("reset", "--quiet", "--hard", newest)

    assert run.results == {f"deploy-environment/Deploy {FIRST}": "failure"}
    assert run.failed_step() == "Reject an outdated commit"
    assert f"is registered from {newest}" in run.output


# --- At night -----------------------------------------------------------------------------------------------


OF_FIRST = ["--matrix", f"environment:{FIRST}"]


def drift(sandbox: Sandbox) -> Run:
    return sandbox.run("drift", "schedule", {"schedule": "43 3 * * *"}, OF_FIRST)


def test_drift_is_an_issue_until_it_is_gone(sandbox, aws, seen) -> None:
    """The bad change was reverted; the retention of logs and the pipeline were changed manually."""
    sandbox.git("revert", "--no-edit", "HEAD")
    (group, *_) = aws.client("logs").describe_log_groups(logGroupNamePrefix=f"{PROJECT}-{FIRST}")["logGroups"]
    aws.client("logs").put_retention_policy(logGroupName=group["logGroupName"], retentionInDays=1)
    sagemaker = aws.client("sagemaker")
    pipeline = {"PipelineName": pipeline_of(FIRST)}
    registered = sagemaker.describe_pipeline(**pipeline)["PipelineDefinition"]
    changed = json.loads(registered)
    changed["Steps"][0]["Arguments"]["StoppingCondition"] = {"MaxRuntimeInSeconds": 60}
    sagemaker.update_pipeline(**pipeline, PipelineDefinition=json.dumps(changed))

    night = {"schedule": "43 3 * * *"}
    lose_runner(sandbox, "drift", "schedule", night, f"{FIRST}: account", *OF_FIRST)
    found = drift(sandbox)

    assert found.code == 0, found.output
    (issue,) = sandbox.github.issues
    assert (issue["title"], issue["state"]) == (f"Drift in {FIRST}", "open")
    assert normalized(issue["body"]) == seen

    aws.client("logs").put_retention_policy(
        logGroupName=group["logGroupName"], retentionInDays=group["retentionInDays"]
    )
    sagemaker.update_pipeline(**pipeline, PipelineDefinition=registered)
    assert drift(sandbox).code == 0
    assert issue["state"] == "closed"


@previews
def test_two_deployments_at_once_do_no_harm(sandbox, aws) -> None:
    """GitHub queues them. With a concurrent manual deployment, each waits for the other."""
    both = [make(sandbox, aws, "deploy", "ENV=pr-13") for _ in range(2)]
    output = [process.communicate()[0] for process in both]

    assert [process.returncode for process in both] == [0, 0], output
    assert set(stacks(aws, "pr-13").values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


@previews
def test_previews_that_have_expired_are_removed(sandbox, aws) -> None:
    stacks_now = with_regional_values(aws.client("ec2"), load_stacks(Environment("pr-13")))
    long_ago = with_new_expiry(stacks_now, datetime(2026, 1, 1, tzinfo=UTC))
    deploy_all(aws.client("cloudformation"), long_ago, QuietConsole())

    night = {"schedule": "17 2 * * *"}
    lose_runner(sandbox, "preview-sweep", "schedule", night, f"{PROJECT}-pr-13-identity is deleted")
    assert "keys" in stacks(aws, "pr-13")
    run = sandbox.run("preview-sweep", "schedule", night)

    assert run.code == 0, run.output
    assert stacks(aws, "pr-13") == {}, run.output
    assert len(stacks(aws, "pr-12")) == 5, "that one lives on"
    assert "Removed pr-13: it had expired." in run.summaries["Sweep previews"]


def test_code_that_a_rollback_could_restore_is_kept(sandbox) -> None:
    night = {"schedule": "17 2 * * *"}
    lose_runner(sandbox, "sweep", "schedule", night, f"{FIRST}: account")
    run = sandbox.run("sweep", "schedule", night)

    assert run.code == 0, run.output
    summary = run.summaries[f"sweep-environment/Code of {FIRST}"]
    assert commands_of(summary) == ["✅ <code>make sweep ARGS=--only code"]
    assert "the pipeline uses it" in summary
    assert f"version 2 of {pipeline_of(FIRST)} uses it" in summary


# begin: model life cycle
# --- A model ------------------------------------------------------------------------------------------------


TRAIN = """
import json, sys, numpy, xgboost
rows = numpy.array([[1.0, 4.0], [2.0, 3.0], [3.0, 2.0], [4.0, 1.0]])
booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, label=[1.0, 2.0, 3.0, 4.0]), 5)
booster.save_model(sys.argv[1])
predictions = booster.predict(xgboost.DMatrix(rows)).tolist()
print(*(f"{predicted},{one},{two}" for predicted, (one, two) in zip(predictions, rows)), sep="\\n")
"""


def trained(folder: Path) -> tuple[bytes, str]:
    """Return the model.tar.gz of a small model, and its sample."""
    model = folder / "xgboost-model"
    command = [program("serving")[0], "-c", TRAIN, f"{model}.ubj"]
    sample = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    Path(f"{model}.ubj").rename(model)
    return archived(model.read_bytes()), sample


def archived(model: bytes) -> bytes:
    """Return a model.tar.gz."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("xgboost-model")
        member.size = len(model)
        archive.addfile(member, io.BytesIO(model))
    return buffer.getvalue()


def register(aws: boto3.Session, model: bytes, sample: str, status: str = "Approved") -> int:
    """Register a version in the first environment like a training pipeline, and return its number."""
    bucket = outputs(aws, FIRST, "storage")["ArtifactBucketName"]
    folder = f"models/{uuid.uuid4().hex}"
    evaluation = {"version": 1, "label": "label", "rows": 4, "metrics": {"rmse": 0.5}}
    files = {
        "model.tar.gz": model,
        "evaluation.json": json.dumps(evaluation).encode(),
        "sample.csv": sample.encode(),
        **{f"{name}.json": b"{}" for name in ("statistics", "columns")},
    }
    for name, content in files.items():
        aws.client("s3").put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=content)
    image = f"{algorithm_image_accounts()[REGION]}.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"

    def document(name: str) -> dict[str, str]:
        return {"ContentType": "application/json", "S3Uri": f"s3://{bucket}/{folder}/{name}.json"}

    arn = aws.client("sagemaker").create_model_package(
        ModelPackageGroupName=f"{PROJECT}-{FIRST}-models",
        ModelApprovalStatus=status,
        InferenceSpecification={
            "Containers": [{"Image": image, "ModelDataUrl": f"s3://{bucket}/{folder}/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ModelMetrics={
            "ModelQuality": {"Statistics": document("evaluation")},
            "ModelDataQuality": {"Statistics": document("statistics")},
        },
    )["ModelPackageArn"]
    return int(arn.rpartition("/")[2])


def version(aws: boto3.Session, environment: str, number: int) -> dict[str, Any]:
    account, group = "123456789012", f"{PROJECT}-{environment}-models"
    arn = f"arn:aws:sagemaker:{REGION}:{account}:model-package/{group}/{number}"
    return dict(aws.client("sagemaker").describe_model_package(ModelPackageName=arn))


def promotion(number: int) -> dict[str, Any]:
    return {"inputs": {"environment": NEXT, "from": FIRST, "version": str(number)}}


def promote(sandbox: Sandbox, number: int) -> Run:
    return sandbox.run("promote-model", "workflow_dispatch", promotion(number))


def promoted_from(aws: boto3.Session, environment: str) -> list[str]:
    """Return where the versions of an environment come from, the oldest first."""
    group = {"ModelPackageGroupName": f"{PROJECT}-{environment}-models"}
    listed = aws.client("sagemaker").list_model_packages(**group)["ModelPackageSummaryList"]
    versions = (version(aws, environment, each["ModelPackageVersion"]) for each in listed)
    return [each["CustomerMetadataProperties"]["promoted-from"] for each in versions]


def wait_for_executions(aws: boto3.Session, pipeline: str) -> list[str]:
    """Return how the executions of a pipeline ended, the newest first."""
    sagemaker = aws.client("sagemaker")
    while True:
        listed = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
        found = [each["PipelineExecutionStatus"] for each in listed]
        if not {"Executing", "Stopping"} & {*found}:
            return found


# begin: sample data
REASON = "drift: none of 4 rows is published: weight: PSI 1.079 is above 0.250; check the input"


def test_withheld_predictions_are_an_issue_until_some_are_published(sandbox, aws) -> None:
    """The pipeline `score` ends as it does for drifted rows; no Spark job runs."""
    before = sandbox.git("rev-parse", "HEAD")
    for name in ("ml_pipeline/pipelines/score.py", "ml_pipeline/params/pipelines/score.json"):
        (sandbox.repository / name).parent.mkdir(exist_ok=True)
        shutil.copy2(ROOT / name, sandbox.repository / name)
    sandbox.commit("Add score")
    sagemaker, pipeline = aws.client("sagemaker"), {"PipelineName": f"score-{FIRST}"}
    role = sagemaker.describe_pipeline(PipelineName=pipeline_of(FIRST))["RoleArn"]

    def execute(*steps: dict[str, Any]) -> None:
        definition = json.dumps({"Version": "2020-12-01", "Steps": steps})
        if pipeline["PipelineName"] in pipelines(aws):
            sagemaker.update_pipeline(**pipeline, PipelineDefinition=definition)
        else:
            sagemaker.create_pipeline(**pipeline, PipelineDefinition=definition, RoleArn=role)
        sagemaker.start_pipeline_execution(**pipeline)
        wait_for_executions(aws, pipeline["PipelineName"])

    execute({"Name": "drifted", "Type": "Fail", "Arguments": {"ErrorMessage": REASON}})
    assert drift(sandbox).code == 0
    issue = sandbox.github.issues[-1]
    assert (issue["title"], issue["state"]) == (f"Drift in {FIRST}", "open")
    assert f"score-{FIRST}" in issue["body"]
    figures, *_ = REASON.split("; ")
    assert figures in issue["body"]

    published = {"Type": "Equals", "LeftValue": "publish", "RightValue": "publish"}
    arguments = {"Conditions": [published], "IfSteps": [], "ElseSteps": []}
    execute({"Name": "has-drifted", "Type": "Condition", "Arguments": arguments})
    assert drift(sandbox).code == 0
    assert figures not in issue["body"]

    sagemaker.delete_pipeline(**pipeline, ClientRequestToken=uuid.uuid4().hex)
    sandbox.git("reset", "--quiet", "--hard", before)
    assert drift(sandbox).code == 0
    assert issue["state"] == "closed"


# end: sample data
@pytest.fixture(scope="module")
def model(sandbox, aws, tmp_path_factory) -> Iterator[tuple[bytes, str]]:
    """A model with its sample, and the pipeline that scores the sample."""
    before = sandbox.git("rev-parse", "HEAD")
    for name in ("ml_pipeline/pipelines/score_sample.py", "ml_pipeline/params/pipelines/score-sample.json"):
        (sandbox.repository / name).parent.mkdir(exist_ok=True)
        shutil.copy2(ROOT / name, sandbox.repository / name)
    sandbox.commit("Add score-sample")
    administrator = make(sandbox, aws, "upsert", f"ENV={NEXT}", "PIPELINE=score-sample")
    output, _ = administrator.communicate()
    assert administrator.returncode == 0, output
    yield trained(tmp_path_factory.mktemp("model"))
    sandbox.git("reset", "--quiet", "--hard", before)


def test_a_version_that_is_not_approved_or_was_modified_is_not_promoted(sandbox, aws, model) -> None:
    archive, sample = model
    pending = register(aws, archive, sample, "PendingManualApproval")
    modified = register(aws, archive, sample)
    container = version(aws, FIRST, modified)["InferenceSpecification"]["Containers"][0]
    bucket, key = container["ModelDataUrl"].removeprefix("s3://").split("/", 1)
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=archived(b"another"))
    before = sandbox.assumed()

    for number, problem in (
        (pending, f"Version {pending} of {FIRST} is PendingManualApproval, and only approved versions"),
        (modified, "its artifact was modified since it was registered"),
    ):
        run = promote(sandbox, number)
        assert run.failed_step() == "Export the version"
        assert problem in run.output

    assert {line.rpartition("/")[2] for line in sandbox.assumed()[len(before) :]} == {"model-reader"}
    group = f"{PROJECT}-{NEXT}-models"
    assert (
        aws.client("sagemaker").list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
        == []
    )


def test_a_version_that_cannot_be_served_is_not_approved(sandbox, aws, model) -> None:
    number = register(aws, archived(b"no model"), model[1])

    run = promote(sandbox, number)

    assert run.failed_step() == "Register, score the sample, and approve"
    assert f"Score it again with: make promote ENV={NEXT} FROM={FIRST} MODEL={number}" in run.output
    assert version(aws, NEXT, 1)["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_promoted_version_is_active_once_its_sample_is_scored_as_before(sandbox, aws, model) -> None:
    """Also where the runner is lost once the version is registered, and its sample is not scored."""
    number = register(aws, *model)
    registered = rf"is version 2 of {NEXT}: PendingManualApproval"
    lose_runner(sandbox, "promote-model", "workflow_dispatch", promotion(number), registered)
    assert version(aws, NEXT, 2)["ModelApprovalStatus"] == "PendingManualApproval"
    wait_for_executions(aws, f"score-sample-{NEXT}")  # the runner may have started one

    run = promote(sandbox, number)

    assert run.code == 0, run.output
    arn = version(aws, FIRST, number)["ModelPackageArn"]
    assert promoted_from(aws, NEXT).count(arn) == 1
    promoted_version = version(aws, NEXT, 2)
    properties = promoted_version["CustomerMetadataProperties"]
    assert promoted_version["ModelApprovalStatus"] == "Approved"
    assert properties["promoted-from"] == arn
    assert f":pipeline/score-sample-{NEXT}/execution/" in properties["sample-scored-in"]
    assert f"/{REPOSITORY}/actions/runs/" in properties["approved-in"]
    assert "Version 2 is approved and active." in run.summaries[f"Promote to {NEXT}"]


# end: model life cycle
# --- The end ------------------------------------------------------------------------------------------------


@previews
def test_closing_a_pull_request_removes_its_preview_when_the_runner_was_lost_before(sandbox, aws) -> None:
    closed = pull_request("closed", labels=["preview"])
    lose_runner(sandbox, "preview-teardown", "pull_request", closed, f"{PROJECT}-pr-12-identity is deleted")
    assert "keys" in stacks(aws, "pr-12")

    run = sandbox.run("preview-teardown", "pull_request", closed)

    assert run.code == 0, run.output
    assert left_of(aws, "pr-12") == []


@pytest.mark.parametrize("environment", [name for name in promoted() if name not in PROTECTED])
def test_teardown_leaves_nothing(sandbox, aws, environment: str) -> None:
    """Including a lost runner in the middle of it."""
    inputs = {"environment": environment, "confirmation": environment}
    deleted = f"{PROJECT}-{environment}-identity is deleted"
    lose_runner(sandbox, "teardown", "workflow_dispatch", {"inputs": inputs}, deleted)
    assert "keys" in stacks(aws, environment)

    run = sandbox.run("teardown", "workflow_dispatch", {"inputs": inputs})

    assert run.code == 0, run.output
    assert left_of(aws, environment) == []


def test_every_step_was_executed(sandbox, capsys) -> None:
    """Report the fraction of scripts that the tests above have executed, and the duration of workflows."""
    missing = sandbox.never_executed()
    total = sandbox.scripts()
    with capsys.disabled():
        print(f"\nscripts of workflows executed: {len(total) - len(missing)} of {len(total)}")
        for workflow, seconds in sorted(sandbox.seconds.items()):
            print(f"  {workflow:<10} {', '.join(f'{each:.0f} s' for each in seconds)}")
    assert missing == set()
