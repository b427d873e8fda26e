"""The walk from a pull request to production and back, executed: the tests tell one story, in their order.

What GitHub itself decides (approval, queues, tokens) is in test_static.py.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import boto3
import psutil
import pytest
from rich.console import Console
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from helpers.environments import Environment
from helpers.infra.stacks import load_stacks
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.previews import renewed
from helpers.infra.stacks.regional_values import with_regional_values
from tests.workflows.github_server import recording_github
from tests.workflows.sandbox import ROOT, Run, Sandbox, pull_request

pytestmark = pytest.mark.timeout(600)
PROJECT = "pyspark-processing"
PUSH = {"ref": "refs/heads/main"}
LABELLED = pull_request("labeled", labels=["preview"], label={"name": "preview"})


class Markdown(SingleFileSnapshotExtension):
    """What a person sees, as a file that a person can read."""

    file_extension = "md"
    _write_mode = WriteMode.TEXT


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory, server) -> Iterator[Sandbox]:
    with recording_github() as github:
        yield Sandbox(tmp_path_factory.mktemp("sandbox"), server, github)


@pytest.fixture
def seen(snapshot: Any) -> Any:
    return snapshot.use_extension(Markdown)


CHANGING = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9a-f]{40}\b", "COMMIT"),
    (r"\b(subnet|sg|vpc|vpce|rtb|fs)-[0-9a-f]{8,17}\b", r"\1-ID"),
    (r"(-[a-z]+bucket-)[a-z0-9]{12}", r"\1ID"),
    (r"\b[0-9a-f]{16}\b", "HASH"),
    (r"execution/[a-z0-9]{12}", "execution/ID"),
    (r"pipelines-[a-z0-9]{12}-([a-z-]+)-[a-z0-9]{10}/algo-1-\d+", r"pipelines-ID-\1-ID/algo-1-ID"),
    (r"(spark_ui_logs/\w+/)[a-z0-9]{12}", r"\1ID"),
    (r"app-\d{14}-\d+", "app-ID"),
    (r"runs/\d{8}T\d{6}Z-[0-9a-f]{8}", "runs/RUN"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?", "TIME"),
    (r"\b\d\d:\d\d:\d\dZ?", "TIME"),
    (r"Makefile:\d+", "Makefile:N"),
    (r"(?m)^(\| \*\*One execution.*\| )\*\*(less than )?[\d.]+\*\*", r"\1**N**"),  # it is priced by its time
    (r"\b\d+ min \d\d s\b|\b\d+(\.\d+)? s\b", "N s"),
    (r"\b(?!123456789012)[0-9a-f]{12}\b", "SHORT"),
    (r"(?m)^TIME (CREATE|UPDATE|DELETE)_\w+ .*\n", ""),  # whose order is CloudFormation's
)
"""What differs from run to run: ids, hashes, times."""


def normalised(text: str) -> str:
    for pattern, instead in CHANGING:
        text = re.sub(pattern, instead, text)
    return text


def commands_of(summary: str) -> list[str]:
    """Return the commands that a job's summary tells, each with its sign."""
    return re.findall(r"<summary>(. <code>.*?)</code>", summary)


def stacks(aws: boto3.Session, environment: str) -> dict[str, str]:
    found = aws.client("cloudformation").describe_stacks()["Stacks"]
    prefix = f"{PROJECT}-{environment}-"
    ours = [each for each in found if each["StackName"].startswith(prefix)]
    states = {each["StackName"].removeprefix(prefix): each["StackStatus"] for each in ours}
    assert len(states) == len(ours), "a name is there twice"
    return states


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
    """Call make as a person would: an administrator who sets up, or somebody who is in a hurry."""
    return subprocess.Popen(
        ["make", f"VENV={ROOT / '.venv'}", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def deliver(aws: boto3.Session, environment: str) -> None:
    """Deliver the input, as another team does in staging and prod."""
    aws.client("s3").put_object(
        Bucket=outputs(aws, environment, "storage")["DataBucketName"],
        Key="data_input/abalone.csv",
        Body=(ROOT / "spark_jobs/sample_data/abalone.csv").read_bytes(),
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=outputs(aws, environment, "keys")["DataKeyArn"],
    )


def comments(sandbox: Sandbox, mark: str) -> list[str]:
    return [
        each["body"]
        for each in sandbox.github.comments.get(12, [])
        if each["body"].startswith(f"<!-- {mark}")
    ]


# --- A stranger's pull request ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workflow", "event"),
    [
        ("plan", pull_request("opened", fork=True)),
        ("preview", pull_request("labeled", labels=["preview"], fork=True, label={"name": "preview"})),
        ("teardown", pull_request("closed", labels=["preview"], fork=True)),
        ("preview", pull_request("labeled", labels=["preview", "defect"], label={"name": "defect"})),
        ("preview", pull_request("synchronize", labels=["defect"])),
        ("teardown", pull_request("closed", labels=["defect"])),
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
    "workflows": {"ARGS": "-k test_static"},
    "security": {"ARGS": "-k test_secrets"},
}
"""The jobs of ci, with what makes them quick: what they test at length is tested without act, too."""


@pytest.mark.parametrize("job", CI)
def test_a_fork_gets_ci_without_credentials(sandbox, server_folder, tmp_path, job: str) -> None:
    quick = "[tool.coverage.run]\nparallel = true\n[tool.coverage.report]\nfail_under = 0\n"
    (tmp_path / "coverage.toml").write_text(quick)
    environment = {"LOCAL_AWS_HOME": str(server_folder), "COVERAGE_RCFILE": str(tmp_path / "coverage.toml")}

    run = sandbox.run(
        "ci", "pull_request", pull_request("opened", fork=True), ["--job", job], {**environment, **CI[job]}
    )

    print(run.output if run.code else "")
    if run.code:  # the database of vulnerabilities is on the network
        assert run.failed_step() == "Known vulnerabilities"
        assert "NOT AUDITED: the advisory database does not answer" in run.output
    assert len(commands_of("".join(run.summaries.values()))) == len(
        [step for step in run.steps if step.name not in {"Check out", "Set up"}]
    ), "each step is in the summary"
    assert sandbox.assumed() == []


# --- A pull request -----------------------------------------------------------------------------------------


def test_a_pull_request_gets_a_plan(sandbox, aws, seen) -> None:
    run = sandbox.run("plan", "pull_request", pull_request("opened"))

    assert run.code == 0, run.output
    assert sorted(sandbox.assumed()) == [
        f"plan arn:aws:iam::123456789012:role/{name}-plan" for name in ("dev", "prod", "staging")
    ]
    (comment,) = comments(sandbox, "plan")
    assert normalised(comment) == seen
    assert stacks(aws, "dev") == {}, "a plan changes nothing"


def test_a_label_deploys_a_preview_and_runs_it(sandbox, aws, seen) -> None:
    run = sandbox.run("preview", "pull_request", LABELLED)

    assert run.code == 0, run.output
    assert stacks(aws, "pr-12") == dict.fromkeys(
        ("keys", "network", "storage", "identity"), "CREATE_COMPLETE"
    )
    assert "ProcessingPipeline-pr-12" in pipelines(aws)
    (comment,) = comments(sandbox, "preview")
    assert "4,177 in, 4,177 out, 0 rejected" in comment
    assert normalised(comment) == seen


def test_a_plan_that_fails_is_told(sandbox) -> None:
    """A broken template: the comment says so for each environment, and the workflow fails."""
    sandbox.change("infra/keys.yaml", "Resources:", "Resources: [")

    run = sandbox.run("plan", "pull_request", pull_request("synchronize"))
    sandbox.git("reset", "--quiet", "--hard", "HEAD~1")

    assert run.code != 0
    assert "infra/keys.yaml is no valid YAML" in run.output
    (comment,) = comments(sandbox, "plan")
    assert comment.count("❌ There is no plan, see the log.") == 3


# --- Merged -------------------------------------------------------------------------------------------------


def test_a_deployment_may_be_killed(sandbox, aws) -> None:
    """The runner is lost while dev is deployed: some stacks are there, others are not."""
    with sandbox.running("deploy", "push", PUSH) as process:
        for line in process.stdout:
            if "CREATE_COMPLETE" in line and f"{PROJECT}-dev-network" in line:
                break
        for each in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            with suppress(psutil.NoSuchProcess):  # it may just have ended by itself
                each.kill()

    assert "network" in stacks(aws, "dev")
    assert "ProcessingPipeline-dev" not in pipelines(aws)


def test_what_was_not_delivered_stops_the_chain_with_what_to_do(sandbox, aws, seen) -> None:
    """The run after the one that was killed goes on with dev, and reaches staging, which has no input yet."""
    run = sandbox.run("deploy", "push", PUSH)

    assert run.results == {
        "deploy-environment/Deploy dev": "success",
        "deploy-environment/Deploy staging": "failure",
    }
    assert run.failed_step() == "Run"
    summary = run.summaries["deploy-environment/Deploy staging"]
    assert "staging gets no sample: deliver the data there, then start again." in summary
    assert normalised(summary) == seen
    assert stacks(aws, "prod") == {}


def test_what_is_merged_reaches_production_with_the_same_code(sandbox, aws, seen) -> None:
    """Prod was set up by an administrator, as the documentation says; then its data were delivered."""
    deliver(aws, "staging")
    administrator = make(sandbox, aws, "deploy", "ENV=prod")
    said, _ = administrator.communicate()
    assert administrator.returncode == 0, said
    deliver(aws, "prod")

    run = sandbox.run("deploy", "push", PUSH)

    assert run.code == 0, run.output
    assert set(run.results.values()) == {"success"}
    assert len(run.results) == 3
    hashes = {re.search(r"make upsert CODE=(\w+)", summary)[1] for summary in run.summaries.values()}
    assert len(hashes) == 1
    (code,) = hashes
    for environment in ("dev", "staging", "prod"):
        assert f"code/{code}/" in pipelines(aws)[f"ProcessingPipeline-{environment}"]
    assert normalised(run.summaries["deploy-environment/Deploy prod"]) == seen


# --- A bad change -------------------------------------------------------------------------------------------


def test_a_second_plan_takes_the_place_of_the_first(sandbox, seen) -> None:
    sandbox.change(
        "spark_jobs/process_pyspark.py", "    options = parse(argv)\n", "    raise KeyError('rings')\n"
    )

    run = sandbox.run("plan", "pull_request", pull_request("synchronize"))

    assert run.code == 0, run.output
    (comment,) = comments(sandbox, "plan")
    assert normalised(comment) == seen


def test_a_bad_change_stops_at_dev(sandbox, aws, seen) -> None:
    before = pipelines(aws)

    run = sandbox.run("deploy", "push", PUSH)

    assert run.results == {"deploy-environment/Deploy dev": "failure"}
    assert run.failed_step() == "Run"
    summary = run.summaries["deploy-environment/Deploy dev"]
    assert "KeyError" in summary
    assert "rollback.yml -f environment=dev" in summary
    assert normalised(summary) == seen
    changed = {name for name, definition in pipelines(aws).items() if definition != before[name]}
    assert changed == {"ProcessingPipeline-dev"}, "staging and prod are untouched"


def test_what_is_typed_is_checked_before_any_role_is_assumed(sandbox) -> None:
    before = sandbox.assumed()

    for workflow, inputs in (
        ("rollback", {"environment": "dev", "to": "$(touch /tmp/owned)"}),
        ("teardown", {"environment": "staging", "confirmation": "stagin"}),
        ("teardown", {"environment": "prod", "confirmation": "prod"}),
    ):
        run = sandbox.run(workflow, "workflow_dispatch", {"inputs": inputs})
        assert run.code != 0
        assert run.failed_step() in {"Check what was typed", "Confirm"}

    assert sandbox.assumed() == before


def test_a_rollback_brings_the_former_definition_back(sandbox, aws, seen) -> None:
    bad = pipelines(aws)["ProcessingPipeline-dev"]

    run = sandbox.run("rollback", "workflow_dispatch", {"inputs": {"environment": "dev", "to": ""}})

    assert run.code == 0, run.output
    good = pipelines(aws)["ProcessingPipeline-dev"]
    assert good != bad
    assert "4,177 in, 4,177 out" in run.summaries["Roll back"]
    assert normalised(run.summaries["Roll back"]) == seen


# --- At night -----------------------------------------------------------------------------------------------


def drift(sandbox: Sandbox) -> Run:
    return sandbox.run("drift", "schedule", {"schedule": "43 3 * * *"}, ["--matrix", "environment:dev"])


def test_drift_is_an_issue_until_it_is_gone(sandbox, aws, seen) -> None:
    """The bad change was reverted; somebody changed the retention of logs and the pipeline by hand."""
    sandbox.git("revert", "--no-edit", "HEAD")
    (group, *_) = aws.client("logs").describe_log_groups(logGroupNamePrefix=f"{PROJECT}-dev")["logGroups"]
    aws.client("logs").put_retention_policy(logGroupName=group["logGroupName"], retentionInDays=1)
    sagemaker = aws.client("sagemaker")
    pipeline = {"PipelineName": "ProcessingPipeline-dev"}
    registered = sagemaker.describe_pipeline(**pipeline)["PipelineDefinition"]
    changed = json.loads(registered)
    changed["Steps"][0]["Arguments"]["StoppingCondition"] = {"MaxRuntimeInSeconds": 60}
    sagemaker.update_pipeline(**pipeline, PipelineDefinition=json.dumps(changed))

    found = drift(sandbox)

    assert found.code == 0, found.output
    (issue,) = sandbox.github.issues
    assert (issue["title"], issue["state"]) == ("Drift in dev", "open")
    assert normalised(issue["body"]) == seen

    aws.client("logs").put_retention_policy(
        logGroupName=group["logGroupName"], retentionInDays=group["retentionInDays"]
    )
    sagemaker.update_pipeline(**pipeline, PipelineDefinition=registered)
    assert drift(sandbox).code == 0
    assert issue["state"] == "closed"


def test_two_deployments_at_once_do_no_harm(sandbox, aws) -> None:
    """GitHub lets them queue. Where somebody deploys by hand at the same time, one of them may refuse."""
    both = [make(sandbox, aws, "deploy", "ENV=pr-13") for _ in range(2)]
    said = [process.communicate()[0] for process in both]

    assert 0 in [process.returncode for process in both]
    for process, text in zip(both, said, strict=True):
        assert process.returncode == 0 or ("Error:" in text and "Traceback" not in text), text
    again = make(sandbox, aws, "deploy", "ENV=pr-13")
    assert "Traceback" not in again.communicate()[0]
    assert again.returncode == 0
    assert set(stacks(aws, "pr-13").values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_sweep_removes_what_has_expired(sandbox, aws) -> None:
    stacks_now = with_regional_values(aws.client("ec2"), load_stacks(Environment("pr-13")))
    long_ago = renewed(stacks_now, datetime(2026, 1, 1, tzinfo=UTC))
    deploy_all(aws.client("cloudformation"), long_ago, Console(quiet=True))

    run = sandbox.run("sweep", "schedule", {"schedule": "17 2 * * *"})

    assert run.code == 0, run.output
    assert stacks(aws, "pr-13") == {}, run.output
    assert len(stacks(aws, "pr-12")) == 4, "that one lives on"
    assert commands_of(run.summaries["Previews"]) == ["✅ <code>make sweep ENV=dev ARGS=--only previews"]
    assert "Removed pr-13: it had expired." in run.summaries["Previews"]
    assert "the pipeline uses it" in run.summaries["Code of dev-1"]
    assert "version 2 uses it" in run.summaries["Code of dev-1"], "one may go back to it"


# --- The end ------------------------------------------------------------------------------------------------


def test_closing_a_pull_request_removes_its_preview(sandbox, aws) -> None:
    run = sandbox.run("teardown", "pull_request", pull_request("closed", labels=["preview"]))

    assert run.code == 0, run.output
    assert stacks(aws, "pr-12") == {}
    assert "ProcessingPipeline-pr-12" not in pipelines(aws)


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_teardown_leaves_nothing(sandbox, aws, environment: str) -> None:
    inputs = {"environment": environment, "confirmation": environment}

    run = sandbox.run("teardown", "workflow_dispatch", {"inputs": inputs})

    assert run.code == 0, run.output
    name = f"{PROJECT}-{environment}-"
    assert stacks(aws, environment) == {}
    assert not [each for each in pipelines(aws) if each.endswith(f"-{environment}")]
    assert not [each for each in aws.client("s3").list_buckets()["Buckets"] if each["Name"].startswith(name)]
    assert not [each for each in aws.client("iam").list_roles()["Roles"] if each["RoleName"].startswith(name)]
    assert not aws.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]


def test_every_step_was_executed(sandbox, capsys) -> None:
    """The share of the scripts that the tests above have executed, and how long workflows take."""
    missing = sandbox.never_executed()
    total = sandbox.scripts()
    with capsys.disabled():
        print(f"\nscripts of workflows executed: {len(total) - len(missing)} of {len(total)}")
        for workflow, seconds in sorted(sandbox.seconds.items()):
            print(f"  {workflow:<10} {', '.join(f'{each:.0f} s' for each in seconds)}")
    assert missing == set()
