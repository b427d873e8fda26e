"""The stacks of an environment: plan, deployment, outputs and teardown on the embedded AWS."""

import importlib
import json
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from rich.console import Console

from helpers import environments
from helpers.environments import LOCAL, Environment
from helpers.errors import UserError
from helpers.infra.stacks import change_sets, deploy, load_stacks, plan_all, stack_outputs, teardown
from helpers.infra.stacks.__main__ import main
from helpers.infra.stacks.buckets import empty_bucket
from helpers.infra.stacks.change_sets import (
    OutdatedError,
    PlannedChangeSet,
    create_change_set,
    discard,
    execute,
)
from helpers.infra.stacks.changes import planned_change
from helpers.infra.stacks.configuration import StackConfiguration
from helpers.infra.stacks.status import Readiness, find_stack, readiness
from helpers.infra.stacks.waiting import Polling, first_failure, poll
from helpers.project_settings import project_settings
from tests.buckets import create_bucket
from tests.infra_folder import write_project
from tests.quiet_console import QuietConsole

TEMPLATE = """
Parameters:
  ProjectName: {Type: String}
  Environment: {Type: String}
  Days: {Type: Number, Default: 7}
  Color: {Type: String, Default: blue, AllowedValues: [blue, red]}
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy: {Version: "2012-10-17", Statement: []}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      Tags: [{Key: key, Value: !GetAtt Key.Arn}]
      LifecycleConfiguration:
        Rules: [{Id: old, Status: Enabled, NoncurrentVersionExpiration: {NoncurrentDays: !Ref Days}}]
Outputs:
  BucketName: {Value: !Ref Bucket}
  KeyArn: {Value: !GetAtt Key.Arn}
"""


class Project:
    """An infra folder with a stack that no other test uses."""

    def __init__(self, infra: Path, aws: boto3.Session):
        self.infra = infra
        self.name = f"test-{uuid.uuid4().hex[:8]}"
        self.stack = f"{self.name}-local-storage"
        self.cloudformation = aws.client("cloudformation")
        write_project(infra, self.name)
        self.template(TEMPLATE)
        self.parameters()

    def template(self, text: str) -> None:
        (self.infra / "storage.yaml").write_text(text)

    def parameters(self, environment: str = "local", *, protected: bool = False, **parameters: str) -> None:
        content = {"Protected": protected, "Stacks": ["storage"], "Parameters": parameters}
        (self.infra / "parameters" / f"{environment}.json").write_text(json.dumps(content))

    @property
    def configuration(self) -> StackConfiguration:
        return load_stacks("local", self.infra)[0]

    def status(self) -> str:
        return self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"][0]["StackStatus"]

    def outputs(self) -> dict[str, str]:
        stack = self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def run(self, *arguments: str, environment: str = "local") -> int:
        return main([*arguments, "--env", environment, "--infra", str(self.infra)])


@pytest.fixture
def project(tmp_path: Path, aws: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(environments, "PARAMETERS", tmp_path / "infra" / "parameters")
    return Project(tmp_path / "infra", aws)


@pytest.fixture
def deployed(project: Project, capsys: pytest.CaptureFixture[str]) -> Project:
    assert project.run("deploy") == 0
    capsys.readouterr()
    return project


def row(output: str, logical_id: str) -> list[str]:
    line = next(line for line in output.splitlines() if f" {logical_id} " in line)
    return [cell.strip() for cell in line.replace("┃", "│").split("│")][1:-1]


# --- plan -------------------------------------------------------------------------------------------------


def test_plan_of_a_new_stack_shows_what_would_be_added_and_leaves_nothing(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.run("plan") == 0
    output = capsys.readouterr().out
    assert row(output, "Bucket")[:3] == ["add", "Bucket", "AWS::S3::Bucket"]
    assert "2 to add" in output
    with pytest.raises(project.cloudformation.exceptions.ClientError, match="does not exist"):
        project.status()


def test_a_plan_without_changes_is_reported_as_such(
    deployed: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deployed.run("plan") == 0
    assert "No changes" in capsys.readouterr().out
    left = deployed.cloudformation.list_change_sets(StackName=deployed.stack)["Summaries"]
    assert {each["ExecutionStatus"] for each in left} == {"EXECUTE_COMPLETE"}, "only that of the deployment"


def test_a_plan_shows_changes_replacements_and_deletions_without_making_them(
    deployed: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.parameters(Days="8")
    deployed.template(
        TEMPLATE.replace(
            "    Properties:\n      Ver", "    Properties:\n      BucketName: other-name\n      Ver"
        )
    )
    deployed.run("plan")
    assert row(capsys.readouterr().out, "Bucket")[::3] == ["replace", "BucketName, LifecycleConfiguration"]
    deployed.template(TEMPLATE)
    deployed.run("plan")
    assert row(capsys.readouterr().out, "Bucket")[::3] == ["change", "LifecycleConfiguration"]
    without_key = TEMPLATE.replace("!GetAtt Key.Arn", "none")
    deployed.template(
        without_key[: without_key.index("  Key:")] + without_key[without_key.index("  Bucket:") :]
    )
    deployed.run("plan")
    assert row(capsys.readouterr().out, "Key")[0] == "delete"
    assert deployed.status() == "CREATE_COMPLETE"


def test_a_plan_shows_a_change_that_affects_no_resource(
    deployed: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.template(TEMPLATE + "  Again: {Value: !Ref Bucket}\n")
    assert deployed.run("plan") == 0
    assert "only to its outputs" in capsys.readouterr().out


def test_a_replacement_that_depends_on_the_old_value_is_distinguished() -> None:
    change = planned_change({"Action": "Modify", "Replacement": "Conditional", "LogicalResourceId": "A"})
    assert change.action == "may replace"


def test_discarding_leaves_a_stack_in_review_to_others_who_plan_it(project: Project) -> None:
    mine = create_change_set(project.cloudformation, project.configuration, "CREATE", Polling())
    others = create_change_set(project.cloudformation, project.configuration, "CREATE", Polling())
    assert mine.stack_id == others.stack_id
    discard(project.cloudformation, mine)
    assert project.status() == "REVIEW_IN_PROGRESS"
    discard(project.cloudformation, others)
    with pytest.raises(project.cloudformation.exceptions.ClientError, match="does not exist"):
        project.status()


# --- deploy -----------------------------------------------------------------------------------------------


def test_deploy_shows_changes_events_and_outputs(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.run("deploy") == 0
    output = capsys.readouterr().out
    lines = [output.index(text) for text in ("2 to add", "CREATE_IN_PROGRESS", "CREATE_COMPLETE", "KeyArn")]
    assert lines == sorted(lines)
    stack = project.cloudformation.describe_stacks(StackName=project.stack)["Stacks"][0]
    assert {tag["Key"]: tag["Value"] for tag in stack["Tags"]} == {
        "Project": project.name,
        "Owner": "a-team",
        "Environment": "local",
        "ManagedBy": "CloudFormation",
    }


def test_deploying_again_is_a_success_with_nothing_to_do(
    deployed: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deployed.run("deploy") == 0
    assert "No changes" in capsys.readouterr().out
    assert deployed.status() == "CREATE_COMPLETE"


def test_deploy_changes_what_has_changed(deployed: Project, aws: boto3.Session) -> None:
    bucket = deploy(deployed.cloudformation, deployed.configuration, Console())["BucketName"]
    deployed.parameters(Days="9")
    assert deployed.run("deploy") == 0
    rules = aws.client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rules[0]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 9


BROKEN = TEMPLATE.replace(
    "Outputs:",
    """  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}
      ManagedPolicyArns: ["arn:aws:iam::123456789012:policy/not-there"]
Outputs:""",
)


def test_a_failed_creation_reports_the_first_failure_and_the_next_deployment_starts_again(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.template(BROKEN)
    assert project.run("deploy") == 1
    error = capsys.readouterr().err
    assert "Role (AWS::IAM::Role) CREATE_FAILED" in error
    assert "not-there" in error
    assert project.status() == "ROLLBACK_COMPLETE"

    assert project.run("plan") == 0
    assert "deletes it and creates it again" in capsys.readouterr().out
    project.template(TEMPLATE)
    assert project.run("deploy") == 0
    assert "deleting it first" in capsys.readouterr().out
    assert project.status() == "CREATE_COMPLETE"


def test_a_failed_update_names_its_reason_and_keeps_the_outputs(
    deployed: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    before = stack_outputs_of(deployed)
    deployed.template(BROKEN)
    assert deployed.run("deploy") == 1
    assert "UPDATE_ROLLBACK_COMPLETE. The first failure: Role" in capsys.readouterr().err
    assert stack_outputs_of(deployed) == before


def stack_outputs_of(project: Project) -> dict[str, str]:
    stack = project.cloudformation.describe_stacks(StackName=project.stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def test_of_two_first_deployments_one_is_made_and_the_other_rejected(project: Project) -> None:
    mine = create_change_set(project.cloudformation, project.configuration, "CREATE", Polling())
    assert project.run("deploy") == 0
    (stack,) = project.cloudformation.describe_stacks(StackName=project.stack)["Stacks"]
    assert stack["StackId"] == mine.stack_id, "one that waits for its first changes is not deleted"
    with pytest.raises(UserError, match=r"out of\s+date"):
        execute(project.cloudformation, mine)
    assert project.status() == "CREATE_COMPLETE"


class Overtaken:
    """CloudFormation with another deployment that starts and ends just before the first change set."""

    def __init__(self, project: Project):
        self.real, self.others = project.cloudformation, [project.configuration]

    def __getattr__(self, operation: str) -> Any:
        return getattr(self.real, operation)

    def create_change_set(self, **arguments: Any) -> Any:
        while self.others:
            deploy(self.real, self.others.pop(), QuietConsole())
        return self.real.create_change_set(**arguments)


def test_a_plan_deletes_what_killed_plans_left_behind_and_nothing_else(
    deployed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.parameters(Days="10")
    client, there = deployed.cloudformation, deployed.configuration
    for purpose in ("plan", "change"):
        create_change_set(client, there, "UPDATE", Polling(), purpose=purpose)

    def left() -> set[str]:
        summaries = client.list_change_sets(StackName=there.name)["Summaries"]
        return {each["ChangeSetName"].split("-")[0] for each in summaries}

    list(plan_all(client, [there], Polling()))
    assert left() == {"plan", "change"}, "another plan may be at it"
    monkeypatch.setattr(change_sets, "_PLANS_LAST", timedelta())
    list(plan_all(client, [there], Polling()))
    assert left() == {"change"}


def test_a_plan_that_a_deployment_overtakes_looks_again(project: Project) -> None:
    (plan,) = plan_all(cast("Any", Overtaken(project)), [project.configuration], Polling())

    assert plan.note.startswith("No changes")
    assert project.status() == "CREATE_COMPLETE"


def test_a_deployment_that_another_one_overtakes_looks_again(project: Project) -> None:
    console = Console(record=True, width=200)

    outputs = deploy(cast("Any", Overtaken(project)), project.configuration, console)

    assert outputs == project.outputs()
    assert "No changes" in console.export_text()


def test_a_change_set_is_not_executed_after_another_one(deployed: Project) -> None:
    deployed.parameters(Days="10")
    mine = create_change_set(deployed.cloudformation, deployed.configuration, "UPDATE", Polling())
    deployed.parameters(Days="11")
    others = create_change_set(deployed.cloudformation, deployed.configuration, "UPDATE", Polling())
    execute(deployed.cloudformation, others)
    with pytest.raises(UserError, match=r"out of\s+date"):
        execute(deployed.cloudformation, mine)


def test_a_change_set_that_is_gone_is_out_of_date_as_well(deployed: Project) -> None:
    deployed.parameters(Days="12")
    planned = create_change_set(deployed.cloudformation, deployed.configuration, "UPDATE", Polling())
    discard(deployed.cloudformation, planned)
    with pytest.raises(UserError, match=r"out of\s+date"):
        execute(deployed.cloudformation, planned)


def test_deploy_computes_and_shows_its_changes_again_when_another_deployment_has_outdated_them(
    deployed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.parameters(Days="14")
    others = [deployed.configuration]
    shown: list[str] = []

    def meanwhile(planned: PlannedChangeSet, _console: Console) -> None:
        shown.append(planned.id)
        while others:
            theirs = create_change_set(deployed.cloudformation, others.pop(), "UPDATE", Polling())
            execute(deployed.cloudformation, theirs)

    monkeypatch.setattr(importlib.import_module("helpers.infra.stacks.deploy"), "show", meanwhile)
    deployed.parameters(Days="13")
    console = Console(record=True, width=200)
    deploy(deployed.cloudformation, deployed.configuration, console)
    stack = deployed.cloudformation.describe_stacks(StackName=deployed.stack)["Stacks"][0]
    assert {"ParameterKey": "Days", "ParameterValue": "13"} in stack["Parameters"]
    assert len(shown) == 2
    assert f"{deployed.stack} has been changed meanwhile" in console.export_text()


def test_changes_are_outdated_while_another_operation_is_in_progress(project: Project) -> None:
    cloudformation = boto3.client("cloudformation")
    planned = PlannedChangeSet("arn:change-set", "arn:stack", "x-dev", (), is_empty=False)
    with Stubber(cloudformation) as stub:
        stub.add_client_error(
            "execute_change_set",
            "ValidationError",
            "Stack:arn:stack is in UPDATE_IN_PROGRESS state and can not be updated.",
        )
        with pytest.raises(OutdatedError):
            execute(cloudformation, planned)


def test_a_change_set_that_fails_is_reported_with_its_reason_and_deleted(project: Project) -> None:
    # Causes of failed change sets on AWS, such as transforms, do not exist here.
    cloudformation, ids = boto3.client("cloudformation"), {"Id": "arn:change-set", "StackId": "arn:stack"}
    failed = {"Status": "FAILED", "StatusReason": "Transform failed", "Changes": []}
    with Stubber(cloudformation) as aws:
        aws.add_response("create_change_set", ids)
        aws.add_response("describe_change_set", failed, {"ChangeSetName": "arn:change-set"})
        aws.add_response("delete_change_set", {}, {"ChangeSetName": "arn:change-set"})
        aws.add_client_error("describe_stacks", "ValidationError", "Stack arn:stack does not exist")
        with pytest.raises(UserError, match="Transform failed"):
            create_change_set(cloudformation, project.configuration, "CREATE", Polling())
        aws.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling"])
def test_who_may_not_delete_stacks_leaves_the_empty_one_of_a_plan(project: Project, code: str) -> None:
    cloudformation = boto3.client("cloudformation")
    planned = PlannedChangeSet("arn:change-set", "arn:stack", project.stack, (), is_empty=False)
    created = datetime(2026, 11, 24, tzinfo=UTC)
    review = {"StackName": project.stack, "StackStatus": "REVIEW_IN_PROGRESS", "CreationTime": created}
    with Stubber(cloudformation) as aws:
        aws.add_response("delete_change_set", {}, {"ChangeSetName": "arn:change-set"})
        aws.add_response("describe_stacks", {"Stacks": [review]})
        aws.add_response("list_change_sets", {"Summaries": []})
        aws.add_client_error("delete_stack", code)
        with nullcontext() if code == "AccessDenied" else pytest.raises(ClientError, match=code):
            discard(cloudformation, planned)
        aws.assert_no_pending_responses()


def test_an_error_that_is_not_ours_to_explain_is_passed_on(project: Project) -> None:
    cloudformation = boto3.client("cloudformation")
    planned = PlannedChangeSet("arn:change-set", "arn:stack", project.stack, (), is_empty=False)
    with Stubber(cloudformation) as aws:
        for operation in ("execute_change_set", "describe_stacks"):
            aws.add_client_error(operation, "AccessDenied", "no")
        with pytest.raises(ClientError, match="AccessDenied"):
            execute(cloudformation, planned)
        with pytest.raises(ClientError, match="AccessDenied"):
            find_stack(cloudformation, project.stack)


def test_a_value_that_the_template_does_not_allow_is_reported(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.parameters(Color="green")
    assert project.run("deploy") == 1
    assert "Color" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, Readiness.CREATE),
        ("CREATE_COMPLETE", Readiness.UPDATE),
        ("UPDATE_COMPLETE", Readiness.UPDATE),
        ("UPDATE_ROLLBACK_COMPLETE", Readiness.UPDATE),
        ("ROLLBACK_COMPLETE", Readiness.RECREATE),
        ("REVIEW_IN_PROGRESS", Readiness.CREATE),
        ("DELETE_FAILED", "make teardown"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
    ],
)
def test_what_may_be_done_in_each_state(status: str | None, expected: Readiness | str) -> None:
    stack = {"StackName": "x-dev", "StackStatus": status} if status else None
    if isinstance(expected, Readiness):
        assert readiness(stack) is expected
    else:
        with pytest.raises(UserError, match=expected):
            readiness(stack)


# --- waiting ----------------------------------------------------------------------------------------------


def event(status: str, reason: str = "", logical_id: str = "A", physical_id: str = "p") -> dict[str, str]:
    output = {"ResourceStatusReason": reason} if reason else {}
    return {"StackId": "s", "LogicalResourceId": logical_id, "PhysicalResourceId": physical_id,
            "ResourceType": "T", "ResourceStatus": status, **output}  # fmt: skip


def test_the_root_cause_is_the_first_failure_that_was_not_a_cancellation() -> None:
    events = [
        event("CREATE_FAILED", "Resource creation cancelled", "Follower"),
        event("CREATE_FAILED", "quota exceeded", "Culprit"),
        event("CREATE_FAILED", "something later", "Later"),
        event("ROLLBACK_COMPLETE"),
    ]
    assert (
        first_failure(events)
        == "ROLLBACK_COMPLETE. The first failure: Culprit (T) CREATE_FAILED: quota exceeded"
    )


def test_a_failure_without_a_failed_resource_is_reported_with_the_stacks_own_reason() -> None:
    assert (
        first_failure([event("ROLLBACK_COMPLETE", "requested by user")])
        == "ROLLBACK_COMPLETE: requested by user"
    )


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"])
def test_a_success_is_not_a_failure(status: str) -> None:
    assert first_failure([event("CREATE_FAILED", "tried again"), event(status)]) is None


def test_waiting_has_an_end() -> None:
    answers = iter([None, None, "yes"])
    assert poll(lambda: next(answers), "it", Polling(interval=0)) == "yes"
    with pytest.raises(UserError, match="It did not end within 0 s"):
        poll(lambda: None, "it", Polling(interval=0, limit=0))


# --- outputs ----------------------------------------------------------------------------------------------


def test_outputs_as_table_and_as_json(deployed: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert deployed.run("outputs", "--json") == 0
    outputs = json.loads(capsys.readouterr().out)
    assert outputs == stack_outputs_of(deployed)
    assert outputs.keys() == {"BucketName", "KeyArn"}
    assert deployed.run("outputs") == 0
    assert outputs["KeyArn"] in capsys.readouterr().out


def test_outputs_of_a_missing_stack_name_the_command_that_deploys_it(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.run("outputs") == 1
    assert (
        f"There is no stack {project.stack}\nHint: Deploy it with: make deploy ENV=local"
        in capsys.readouterr().err
    )


def test_outputs_of_a_failed_stack_are_an_error(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.template(BROKEN)
    project.run("deploy")
    capsys.readouterr()
    assert project.run("outputs") == 1
    assert "has no outputs, its status is ROLLBACK_COMPLETE" in capsys.readouterr().err


def test_stack_outputs_are_those_of_the_repositorys_project(aws: boto3.Session) -> None:
    stack = f"{project_settings().project_name}-{LOCAL}-"
    with pytest.raises(UserError, match=f"There is no stack {stack}"):
        stack_outputs(aws.client("cloudformation"), Environment(LOCAL))


# --- teardown ---------------------------------------------------------------------------------------------


def fill(aws: boto3.Session, bucket: str) -> None:
    s3 = aws.client("s3")
    for body in (b"1", b"2"):
        s3.put_object(Bucket=bucket, Key="twice", Body=body)
    s3.put_object(Bucket=bucket, Key="gone", Body=b"")
    s3.delete_object(Bucket=bucket, Key="gone")
    s3.create_multipart_upload(Bucket=bucket, Key="unfinished")


def test_teardown_deletes_versions_markers_uploads_and_the_stack_and_lists_keys(
    deployed: Project, aws: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = stack_outputs_of(deployed)
    fill(aws, outputs["BucketName"])
    assert deployed.run("teardown", "--yes") == 0
    output = capsys.readouterr().out
    assert "4 versions and delete markers, 1 unfinished uploads" in output
    assert f"KMS key {outputs['KeyArn'].split('/')[-1]}, pending deletion" in output
    buckets = [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]]
    assert outputs["BucketName"] not in buckets

    assert deployed.run("teardown", "--yes") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_teardown_goes_by_batches(aws: boto3.Session) -> None:
    s3, bucket, console = aws.client("s3"), f"batches-{uuid.uuid4().hex}", Console(record=True, width=200)
    create_bucket(s3, bucket)
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=str(number), Body=b"")
    empty_bucket(s3, bucket, console, batch=2)
    output = console.export_text()
    assert [f"{count} deleted" in output for count in (2, 4, 5)] == [True, True, True]
    s3.delete_bucket(Bucket=bucket)


def test_an_object_that_s3_does_not_delete_is_named(aws: boto3.Session) -> None:
    s3 = aws.client("s3")
    listed = {"Versions": [{"Key": "locked", "VersionId": "1"}]}
    with Stubber(s3) as stub:
        stub.add_response("list_object_versions", listed)
        stub.add_response(
            "delete_objects", {"Errors": [{"Key": "locked", "Code": "AccessDenied", "Message": "held"}]}
        )
        stub.add_client_error("list_object_versions", "AccessDenied")
        with pytest.raises(UserError, match="the first locked: AccessDenied held"):
            empty_bucket(s3, "bucket", Console())
        with pytest.raises(ClientError, match="AccessDenied"):
            empty_bucket(s3, "bucket", Console())


def test_a_bucket_that_is_gone_is_empty(aws: boto3.Session) -> None:
    empty_bucket(aws.client("s3"), f"never-there-{uuid.uuid4().hex}", Console())


def test_teardown_leaves_what_the_template_retains_with_its_data(
    project: Project, aws: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    project.template(TEMPLATE.replace("AWS::S3::Bucket", "AWS::S3::Bucket\n    DeletionPolicy: Retain"))
    project.run("deploy")
    bucket = stack_outputs_of(project)["BucketName"]
    fill(aws, bucket)
    assert project.run("teardown", "--yes") == 0
    assert f"Remains: AWS::S3::Bucket {bucket}. The template retains it" in capsys.readouterr().out
    assert aws.client("s3").get_object(Bucket=bucket, Key="twice")["Body"].read() == b"2"


@pytest.mark.parametrize("answer", ["", "yes", "dev", "LOCAL"])
def test_teardown_wants_the_name_of_the_environment(
    deployed: Project, aws: boto3.Session, answer: str
) -> None:
    asked: list[str] = []

    def print_line(question: str) -> str:
        asked.append(question)
        return answer

    with pytest.raises(UserError, match="nothing was deleted"):
        teardown(aws, [deployed.configuration], Console(), confirm=print_line)
    assert deployed.stack in asked[0]
    assert deployed.status() == "CREATE_COMPLETE"


def test_teardown_continues_with_the_right_name(deployed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _question: "local")
    assert deployed.run("teardown") == 0
    with pytest.raises(deployed.cloudformation.exceptions.ClientError, match="does not exist"):
        deployed.status()


def test_teardown_without_anybody_to_ask_deletes_nothing(deployed: Project, aws: boto3.Session) -> None:
    def nobody(_question: str) -> str:
        raise EOFError

    with pytest.raises(UserError, match="--yes"):
        teardown(aws, [deployed.configuration], Console(), confirm=nobody)
    assert deployed.status() == "CREATE_COMPLETE"


def test_a_protected_environment_is_not_torn_down_unless_it_is_allowed(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.parameters("live", protected=True)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing listens: no request to AWS
    assert project.run("teardown", "--yes", environment="live") == 1
    output = capsys.readouterr().err
    assert "live is protected\nHint: To delete it nevertheless, run: make teardown ENV=live ARGS=" in output


def test_a_protected_environment_is_torn_down_where_it_is_allowed(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.parameters("live", protected=True)
    assert project.run("teardown", "--yes", "--allow-protected", environment="live") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_failed_teardown_names_its_reason_and_can_be_repeated(
    project: Project, aws: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    vpc = "  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.9.0.0/16}}\n"
    network = f"{vpc}Outputs:\n  VpcId: {{Value: !Ref Vpc}}"
    project.template(TEMPLATE.replace("Outputs:", network))
    project.run("deploy")
    ec2 = aws.client("ec2")
    vpc = stack_outputs_of(project)["VpcId"]
    foreign = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    assert project.run("teardown", "--yes") == 1
    assert "DELETE_FAILED. The first failure: Vpc (AWS::EC2::VPC)" in capsys.readouterr().err
    assert project.run("deploy") == 1
    assert "make teardown" in capsys.readouterr().err
    ec2.delete_subnet(SubnetId=foreign)
    assert project.run("teardown", "--yes") == 0


WITH_GITHUB = """Parameters:
  ProjectName: {Type: String}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub ${ProjectName}-ci-deploy
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}
Outputs:
  DeployRoleArn: {Value: !GetAtt Role.Arn}
"""


def test_the_way_in_of_github_stays_until_an_administrator_asks(
    project: Project, aws: boto3.Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.infra / "github_oidc.yaml").write_text(WITH_GITHUB)
    path = project.infra / "parameters" / "local.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "Stacks": ["storage", "github_oidc"]}))
    github, role = f"{project.name}-local-github-oidc", f"{project.name}-ci-deploy"
    assert project.run("deploy") == 0
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda text: asked.append(text) or "local")
    capsys.readouterr()

    assert project.run("teardown") == 0
    assert f"This deletes {project.stack} and the data in them. {github} stays. Type local" in asked[0]
    remains = f"Remains: {github}, the stack of GitHub's roles."
    assert remains in capsys.readouterr().out
    assert aws.client("iam").get_role(RoleName=role)["Role"]["RoleName"] == role

    assert project.run("teardown", "--yes") == 0, "as a workflow that is run again"
    output = capsys.readouterr().out
    assert "nothing to do" in output
    assert remains in output

    assert project.run("teardown", "--yes", "--with-github") == 0
    assert f"{github} is deleted." in capsys.readouterr().out
    assert find_stack(project.cloudformation, github) is None


BOUNDARY = """
  Boundary:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: !Sub ${ProjectName}-local-boundary
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: s3:GetObject, Resource: "*"}]
Outputs:"""
DENIED = "is not authorized to perform: iam:DeletePolicy with an explicit deny in an identity-based policy"


@pytest.mark.parametrize(("reason", "ended"), [(DENIED, True), ("DeleteConflict: it is attached", False)])
def test_a_boundary_that_may_not_be_deleted_remains_with_its_stack(
    project: Project, aws: boto3.Session, reason: str, *, ended: bool
) -> None:
    """A role uses the boundary, so its deletion fails; the reason is in the words of AWS."""
    project.template(TEMPLATE.replace("Outputs:", BOUNDARY))
    assert project.run("deploy") == 0
    iam = aws.client("iam")
    policy = f"arn:aws:iam::123456789012:policy/{project.name}-local-boundary"
    iam.create_role(RoleName=project.name, AssumeRolePolicyDocument="{}", PermissionsBoundary=policy)

    def put(parsed: dict[str, Any], **_: object) -> None:
        for event in parsed["StackEvents"]:
            if (event["ResourceType"], event["ResourceStatus"]) == (
                "AWS::IAM::ManagedPolicy",
                "DELETE_FAILED",
            ):
                event["ResourceStatusReason"] = reason

    as_workflow = boto3.Session()
    as_workflow.events.register("after-call.cloudformation.DescribeStackEvents", put)
    console = Console(record=True, width=400)
    with nullcontext() if ended else pytest.raises(UserError, match="DeleteConflict"):
        teardown(as_workflow, [project.configuration], console)
    remains = f"Remains: {project.stack}, with the permissions boundary {policy}"
    assert (remains in console.export_text()) == ended
    assert project.status() == "DELETE_FAILED"

    iam.delete_role(RoleName=project.name)
    teardown(aws, [project.configuration], QuietConsole())
    assert find_stack(project.cloudformation, project.stack) is None


# --- configuration ----------------------------------------------------------------------------------------


def without_project(infra: Path) -> None:
    (infra / "project.json").unlink()


def without_template(infra: Path) -> None:
    (infra / "storage.yaml").unlink()


def parameters(text: str) -> Callable[[Path], object]:
    return lambda infra: (infra / "parameters" / "local.json").write_text(text)


def template(text: str) -> Callable[[Path], object]:
    return lambda infra: (infra / "storage.yaml").write_text(text)


STACKS = '{"Stacks": ["storage"], '


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (without_template, ["storage.yaml is missing"]),
        (parameters('{"Parameters": {'), ["local.json, line 1, is not valid JSON"]),
        (parameters("[]"), ["local.json holds a JSON list instead of an object"]),
        (parameters("{}"), ["local.json", "Stacks is missing", "Parameters is missing"]),
        (
            parameters(STACKS + '"Parameters": [], "Tags": {}}'),
            ["local.json", "Parameters must be an object"],
        ),
        (
            parameters(STACKS + '"Parameters": {}, "Tag": {}}'),
            ["Tag is not one of Stacks, Parameters, Tags, Region, ", ": remove"],
        ),
        (
            parameters(STACKS + '"Parameters": {"Days": 7}}'),
            ["Parameters.Days is 7", "in quotes"],
        ),
        (
            parameters(STACKS + '"Parameters": {"ProjectName": "x", "Environment": "dev", "Protected": ""}}'),
            [
                "Parameters.ProjectName cannot be set here, it is defined in infra/project.json: remove it",
                "Parameters.Environment cannot be set here, it is the name of the file: remove it",
                "Parameters.Protected cannot be set here, it follows from the key Protected next to",
            ],
        ),
        (
            parameters(STACKS + '"Parameters": {}, "Tags": {"Project": "x", "Owner": "y"}}'),
            ["Tags.Project cannot be set here, it is ProjectName in infra", "Tags.Owner cannot be set here"],
        ),
        (parameters(STACKS + '"Protected": "yes", "Parameters": {}}'), ['Protected is "yes"; write true or']),
        (without_project, ["project.json is missing"]),
        (
            parameters(STACKS + '"Parameters": {"Dais": "7"}}'),
            ["Dais is not a parameter of the templates storage: remove it"],
        ),
        (parameters('{"Stacks": "storage", "Parameters": {}}'), ["Stacks must be a list of names"]),
        (parameters('{"Stacks": ["a", "a"], "Parameters": {}}'), ["Stacks names a template twice"]),
        (template("Resources: ["), ["storage.yaml is not valid YAML"]),
        (template("Outputs: {}"), ["storage.yaml", "no Resources"]),
        (
            template("Parameters: {ProjectName: {}, Environment: {}, More: {}}\nResources: {}"),
            ["More is missing"],
        ),
    ],
)
def test_bad_files_are_reported_before_aws_is_asked(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], object],
    named: list[str],
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing listens: no request to AWS
    spoil(project.infra)
    assert project.run("plan") == 1
    error = capsys.readouterr().err
    for text in named:
        assert text in error
    assert "Traceback" not in error


NAMES = """
Parameters:
  ProjectName: {Type: String}
  Environment: {Type: String}
  Protected: {Type: String}
  GitHubRepository: {Type: String}
Resources: {}
"""


def test_what_is_defined_once_reaches_every_template_that_declares_it(project: Project) -> None:
    project.template(NAMES)
    project.parameters("live", protected=True)

    (stack,) = load_stacks("live", project.infra)

    assert stack.name == f"{project.name}-live-storage"
    assert stack.parameters == {
        "ProjectName": project.name,
        "Environment": "live",
        "Protected": "true",
        "GitHubRepository": "owner/name",
    }


def test_the_repository_is_the_projects_unless_the_file_names_another(project: Project) -> None:
    """`make github-trust` writes the name in GitHub's spelling."""
    project.template(NAMES)
    project.parameters(GitHubRepository="Owner/Name")

    assert project.configuration.parameters["GitHubRepository"] == "Owner/Name"


def test_an_environment_needs_a_file(project: Project) -> None:
    with pytest.raises(SystemExit):
        project.run("plan", environment="elsewhere")
    with pytest.raises(UserError, match=r"elsewhere\.json is missing"):
        load_stacks("elsewhere", project.infra)


def test_a_file_that_cannot_be_read_is_reported(project: Project) -> None:
    (project.infra / "storage.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(UserError, match="cannot be read"):
        load_stacks("local", project.infra)


# --- several stacks ---------------------------------------------------------------------------------------

READER = """
Parameters:
  ProjectName: {Type: String}
  BucketName: {Type: String}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Ref BucketName}
Outputs:
  Fn::ForEach::Names: [Name, [Topic], {"${Name}Arn": {Value: !Ref Topic}}]
"""


def with_reader(
    project: Project, text: str = READER, order: tuple[str, ...] = ("storage", "reader")
) -> Project:
    (project.infra / "reader.yaml").write_text("Transform: AWS::LanguageExtensions\n" + text)
    path = project.infra / "parameters" / "local.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "Stacks": list(order)}))
    return project


def test_outputs_of_a_stack_are_parameters_of_the_next(
    project: Project, aws: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    with_reader(project)
    assert project.run("plan") == 0
    note = f"{project.name}-local-reader is new: all its resources will be added. It waits for BucketName."
    assert note in " ".join(capsys.readouterr().out.split())

    assert project.run("deploy") == 0
    capsys.readouterr()
    assert project.run("outputs", "--json") == 0

    outputs = json.loads(capsys.readouterr().out)
    topic = aws.client("sns").get_topic_attributes(TopicArn=outputs["TopicArn"])["Attributes"]
    assert topic["DisplayName"] == outputs["BucketName"]
    assert project.run("plan") == 0
    assert capsys.readouterr().out.count("No changes") == 2


def test_a_failing_stack_stops_the_ones_after_it(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with_reader(project)
    project.template(BROKEN)
    assert project.run("deploy") == 1
    output = capsys.readouterr().err
    assert f"Deployed: none. Not started: {project.name}-local-reader" in output


def test_stacks_are_torn_down_from_the_last_to_the_first(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with_reader(project)
    assert project.run("deploy") == 0
    capsys.readouterr()
    assert project.run("teardown", "--yes") == 0
    output = capsys.readouterr().out
    assert output.index("-local-reader is deleted.") < output.index("-local-storage is deleted.")
    assert project.run("teardown", "--yes") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_an_order_that_cannot_work_is_rejected(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with_reader(project, order=("reader", "storage"))
    assert project.run("deploy") == 1
    assert "BucketName is missing under Parameters" in capsys.readouterr().err
