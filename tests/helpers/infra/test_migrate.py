"""Migrate keys and buckets from the single stack of earlier versions, with all objects and versions."""

import importlib
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
import yaml
from botocore.stub import Stubber

from helpers import environments
from helpers.errors import UserError
from helpers.infra.stacks import StackConfiguration, deploy, load_stacks, teardown, waiting
from helpers.infra.stacks.__main__ import main
from helpers.infra.stacks.change_sets import PlannedChangeSet, create_change_set
from helpers.infra.stacks.changes import PlannedChange
from helpers.infra.stacks.deploy import deploy_all, execute_and_wait
from helpers.infra.stacks.legacy import TYPES, LegacyStack, without_deleted_principals
from helpers.infra.stacks.migrate import migrate, reject_loss
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.infra.stacks.retention import reject_more_than_retention, retaining
from helpers.infra.stacks.status import find_stack, stack_resources
from helpers.infra.stacks.waiting import Polling
from helpers.local_aws.fault_injection import inject
from helpers.local_aws.server_state import ServerState
from tests.buckets import create_bucket
from tests.infra_folder import write_templates
from tests.interruptions import expiring_credentials, kill, operation_number
from tests.quiet_console import QuietConsole

LEGACY = Path(__file__).with_name("legacy_basic_infra.yaml").read_text()
WITHOUT_NETWORK = re.sub(
    r"(?sm)^  # --- Network.*?(?=^  # --- Keys)"
    r"|^  PipelineExecutionPolicy:.*?(?=^Outputs:)"
    r"|^  VpcId:.*?(?=^  VolumeKeyArn:)",
    "",
    LEGACY,
)
"""The template without the network, which does not move and takes most of the time, and references to it."""
STACKS = ("keys", "network", "storage", "identity", "operations")
QUIET = QuietConsole()

Versions = dict[str, list[tuple[str, str | None, bytes | None]]]


class Crash(BaseException):
    """The end of the process."""


class Project:
    """A separate project with the legacy stack, and objects in its buckets."""

    def __init__(self, aws: boto3.Session, folder: Path, environment: str, stacks: tuple[str, ...]):
        self.aws, self.environment, self.infra = aws, environment, folder / "infra"
        self.project = f"move-{uuid.uuid4().hex[:8]}"
        self.legacy = f"{self.project}-{environment}"
        self.cloudformation, self.s3 = aws.client("cloudformation"), aws.client("s3")
        # The legacy template stored the data of an environment under this name.
        write_templates(self.infra, self.project, environment, stacks, protected=environment == "prod")

    def deploy_legacy(self, template: str = LEGACY) -> None:
        parameters = {"ProjectName": self.project, "Environment": self.environment}
        tags = {"Project": self.project}
        configuration = StackConfiguration(self.environment, self.legacy, template, parameters, tags)
        deploy(self.cloudformation, configuration, QUIET)
        self.ids = self.moved(self.legacy)
        for name in ("ArtifactBucket", "DataBucket"):
            bucket = self.ids[name]
            for body in (b"first", b"second", bytes(range(256)) * 40):
                self.s3.put_object(Bucket=bucket, Key="twice/over", Body=body)
            self.s3.put_object(Bucket=bucket, Key="gone", Body=b"can be brought back")
            self.s3.delete_object(Bucket=bucket, Key="gone")

    @property
    def stacks(self) -> tuple[StackConfiguration, ...]:
        return with_regional_values(self.aws.client("ec2"), load_stacks(self.environment, self.infra))

    def moved(self, *names: str) -> dict[str, str]:
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for name in names
            for each in stack_resources(self.cloudformation, name)
            if each["LogicalResourceId"] in TYPES
        }

    def versions(self) -> Versions:
        """All versions and delete markers with their content, newest first."""
        found: Versions = {}
        for name in ("ArtifactBucket", "DataBucket"):
            bucket = self.ids[name]
            page = self.s3.list_object_versions(Bucket=bucket)
            listed = [(each["Key"], each["VersionId"], True) for each in page["Versions"]]
            listed += [(each["Key"], each["VersionId"], False) for each in page["DeleteMarkers"]]
            found[name] = [
                (key, version, self.read(bucket, key, version) if has_content else None)
                for key, version, has_content in listed
            ]
        return found

    def read(self, bucket: str, key: str, version: str) -> bytes:
        return self.s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()

    def statuses(self) -> dict[str, str]:
        found = {stack.name: find_stack(self.cloudformation, stack.name) for stack in self.stacks}
        return {name.removeprefix(f"{self.legacy}-"): s["StackStatus"] for name, s in found.items() if s}

    def migrate(self) -> dict[str, str]:
        return migrate(self.aws, self.legacy, self.stacks, QUIET)

    def run(self, *arguments: str) -> int:
        return main([*arguments, "--env", self.environment, "--infra", str(self.infra)])

    def remove(self) -> None:
        """Delete everything, including retained resources."""
        teardown(self.aws, self.stacks, QUIET)
        self.cloudformation.delete_stack(StackName=self.legacy)


Make = Callable[..., Project]


@pytest.fixture
def make(aws: boto3.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(environments, "PARAMETERS", tmp_path / "infra" / "parameters")
    made: list[Project] = []

    def new(
        environment: str = "local",
        template: str | None = WITHOUT_NETWORK,
        stacks: tuple[str, ...] = STACKS[:3],
    ) -> Project:
        made.append(Project(aws, tmp_path, environment, stacks))
        if template:
            made[-1].deploy_legacy(template)
        return made[-1]

    yield new
    for project in made:
        project.remove()


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_every_object_and_key_moves_and_nothing_is_left_to_do(
    make: Make, aws: boto3.Session, capsys: pytest.CaptureFixture[str], environment: str
) -> None:
    project = make(environment, LEGACY, STACKS)
    before, ids = project.versions(), project.ids
    assert len(before["DataBucket"]) == len(before["ArtifactBucket"]) == 5

    assert project.run("migrate", "--yes") == 0

    output = capsys.readouterr().out
    steps = ["Importing into", "Deploying the new stacks", "Outputs of the stacks"]
    steps = [f"{'Updating' if environment == 'local' else 'retains its keys'}", "Deleting", *steps]
    assert [output.index(step) for step in steps] == sorted(output.index(step) for step in steps)
    assert project.versions() == before
    assert project.moved(f"{project.legacy}-keys", f"{project.legacy}-storage") == ids
    assert find_stack(project.cloudformation, project.legacy) is None
    assert project.statuses() == dict(
        zip(STACKS, ["UPDATE_COMPLETE", "CREATE_COMPLETE", "UPDATE_COMPLETE", *["CREATE_COMPLETE"] * 2],
            strict=True)
    )  # fmt: skip
    kms = aws.client("kms")
    assert kms.describe_key(KeyId=ids["DataKey"])["KeyMetadata"]["KeyState"] == "Enabled"

    assert project.run("migrate", "--yes") == 0
    assert "nothing to do" in capsys.readouterr().out
    assert project.run("drift") == 0
    assert project.run("deploy") == 0


def test_keys_and_buckets_have_the_properties_of_the_new_templates(make: Make, aws: boto3.Session) -> None:
    """If the import had already declared these properties, they would never have been applied."""
    project = make()
    outputs = project.migrate()

    encryption = project.s3.get_bucket_encryption(Bucket=project.ids["ArtifactBucket"])
    (rule,) = encryption["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == outputs["ArtifactKeyArn"]
    logging = project.s3.get_bucket_logging(Bucket=project.ids["DataBucket"])["LoggingEnabled"]
    assert logging["TargetBucket"] == outputs["AccessLogBucketName"]
    kms = aws.client("kms")
    policy = json.loads(kms.get_key_policy(KeyId=project.ids["DataKey"], PolicyName="default")["Policy"])
    # Code that was encrypted with the data key stays readable for those who read code now.
    (readers,) = [each for each in policy["Statement"] if each["Sid"] == "DataThroughS3"]
    assert "kms:Decrypt" in readers["Action"]
    assert {arn.rsplit("-", 2)[-2:][0] for arn in readers["Condition"]["ArnEquals"]["aws:PrincipalArn"]} == {
        "processing",
        "studio",  # part: Studio
        "ci",
        # begin: model life cycle
        "training",
        "transform",
        "model",
        # end: model life cycle
    }


@pytest.mark.parametrize(
    ("module", "function", "call"),
    [
        *[("migrate", "create_change_set", call) for call in (1, 2, 3)],
        *[("migrate", "execute_and_wait", call) for call in (1, 2, 3)],
        ("migrate", "_delete", 1),
        ("migrate", "_import_retained", 1),
        *[("deploy", "deploy", call) for call in (1, 2, 3)],
        ("deploy", "create_change_set", 1),
    ],
)
def test_a_migration_that_died_continues(
    make: Make, monkeypatch: pytest.MonkeyPatch, module: str, function: str, call: int
) -> None:
    project = make()
    before, ids = project.versions(), project.ids
    there = importlib.import_module(f"helpers.infra.stacks.{module}")
    original, calls = getattr(there, function), []

    def dies(*arguments: Any, **options: Any) -> Any:
        answer = original(*arguments, **options)
        calls.append(answer)
        if len(calls) == call:
            raise Crash
        return answer

    monkeypatch.setattr(there, function, dies)
    with pytest.raises(Crash):
        project.migrate()
    monkeypatch.undo()

    project.migrate()

    assert project.versions() == before
    assert project.moved(f"{project.legacy}-keys", f"{project.legacy}-storage") == ids
    assert set(project.statuses().values()) == {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert project.migrate() == {}


class Busy:
    """CloudFormation that first reports a change in progress, and then the stack."""

    def __init__(self, cloudformation: Any, name: str, status: str):
        self.real, self.name, self.status, self.left = cloudformation, name, status, 30

    def __getattr__(self, operation: str) -> Any:
        return getattr(self.real, operation)

    def describe_stacks(self, **arguments: str) -> Any:
        if arguments.get("StackName") == self.name and self.left:
            self.left -= 1
            return {"Stacks": [{"StackName": self.name, "StackStatus": self.status}]}
        return self.real.describe_stacks(**arguments)


class BusySession:
    def __init__(self, aws: boto3.Session, busy: Busy):
        self.aws, self.busy = aws, busy

    def client(self, name: Any) -> Any:
        return self.busy if name == "cloudformation" else self.aws.client(name)


@pytest.mark.parametrize(
    ("function", "call", "ending", "status"),
    [
        ("execute_and_wait", 1, "", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("_delete", 1, "", "DELETE_IN_PROGRESS"),
        ("execute_and_wait", 2, "-keys", "IMPORT_IN_PROGRESS"),
        ("deploy_all", 1, "-keys", "UPDATE_IN_PROGRESS"),
    ],
)
def test_what_cloudformation_is_at_is_waited_for(
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    function: str,
    call: int,
    ending: str,
    status: str,
) -> None:
    project = make()
    before = project.versions()
    dies_after(monkeypatch, function, call)
    with pytest.raises(Crash):
        project.migrate()
    monkeypatch.undo()
    busy = Busy(project.cloudformation, project.legacy + ending, status)

    session = cast("boto3.Session", BusySession(project.aws, busy))
    migrate(session, project.legacy, project.stacks, QUIET, polling=Polling(interval=0))

    assert busy.left == 0
    assert f"Waiting for {project.legacy}{ending} ({status}), for 60 min" in capsys.readouterr().err
    assert project.versions() == before
    assert project.moved(f"{project.legacy}-keys", f"{project.legacy}-storage") == project.ids


def test_an_operation_that_never_ends_is_reported(make: Make) -> None:
    project = make()
    busy = Busy(project.cloudformation, project.legacy, "DELETE_IN_PROGRESS")
    session = cast("boto3.Session", BusySession(project.aws, busy))
    with pytest.raises(UserError, match=f"The operation on {project.legacy} did not end within 0 s"):
        migrate(session, project.legacy, project.stacks, QUIET, polling=Polling(interval=0, limit=0))


@pytest.mark.parametrize(
    ("status", "held"),
    [
        ("IMPORT_IN_PROGRESS", False),
        ("IMPORT_FAILED", False),
        ("IMPORT_ROLLBACK_IN_PROGRESS", False),
        ("IMPORT_ROLLBACK_COMPLETE", False),
        ("DELETE_COMPLETE", False),
        ("IMPORT_COMPLETE", True),
        ("UPDATE_IN_PROGRESS", True),
        ("UPDATE_COMPLETE", True),
    ],
)
def test_only_what_an_import_has_ended_with_has_moved(status: str, *, held: bool) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    cloudformation = boto3.client("cloudformation", region_name="us-east-1")
    with Stubber(cloudformation) as stub:
        for name, type_ in (("DataKey", "AWS::KMS::Key"), ("DataBucket", "AWS::S3::Bucket")):
            stack = {"StackName": "x", "StackStatus": "IMPORT_COMPLETE", "CreationTime": now}
            stub.add_response("describe_stacks", {"Stacks": [stack]})
            resource = {
                "LogicalResourceId": name,
                "PhysicalResourceId": "1",
                "ResourceType": type_,
                "ResourceStatus": status,
                "LastUpdatedTimestamp": now,
            }
            stub.add_response("list_stack_resources", {"StackResourceSummaries": [resource]})
        session = SimpleNamespace(client=lambda _: cloudformation)
        found = LegacyStack(cast("boto3.Session", session), "legacy").imported()
    assert found == ({"DataKey": "1", "DataBucket": "1"} if held else {})


@pytest.fixture
def faulty(server: ServerState) -> Iterator[ServerState]:
    """The server of all tests, temporarily slow and throttling."""
    inject(server.endpoint, server.secret_key, throttling=0.05, stack_seconds=0.1)
    with pytest.MonkeyPatch.context() as patch:
        fast_clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda seconds: time.sleep(seconds / 20))
        patch.setattr(waiting, "time", fast_clock)
        yield server
    inject(server.endpoint, server.secret_key, throttling=0, stack_seconds=0)


@pytest.mark.faults
@pytest.mark.parametrize(
    ("number", "operation"),
    [
        (1, "ExecuteChangeSet"),  # retains keys and buckets
        (1, "DeleteStack"),  # the migrated stack
        (3, "CreateChangeSet"),  # of the second import
        (4, "ExecuteChangeSet"),  # the first deployment
    ],
)
def test_a_migration_that_is_interrupted_is_taken_up_by_the_next_one(
    make: Make,
    role: str,
    faulty: ServerState,
    capsys: pytest.CaptureFixture[str],
    number: int,
    operation: str,
) -> None:
    """Once by expiring credentials, once by SIGKILL, after AWS has processed the request."""
    project = make()
    before = project.versions()

    with expiring_credentials(faulty, role, operation_number(1, "CreateChangeSet")):
        assert project.run("migrate", "--yes") == 1
    assert "AWS rejects the credentials (ExpiredToken" in capsys.readouterr().err
    kill(lambda: project.run("migrate", "--yes"), operation_number(number, operation))
    assert project.run("migrate", "--yes") == 0

    assert project.versions() == before
    assert project.moved(f"{project.legacy}-keys", f"{project.legacy}-storage") == project.ids
    assert find_stack(project.cloudformation, project.legacy) is None


def test_without_a_legacy_stack_there_is_nothing_to_do(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make(template=None)
    assert project.run("migrate") == 0
    assert f"There is no stack {project.legacy} to migrate: nothing to do." in capsys.readouterr().out
    assert project.statuses() == {}


def test_a_deployment_next_to_the_legacy_stack_is_rejected_before_anything_is_made(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make()
    assert project.run("deploy") == 1
    assert "make migrate ENV=local" in capsys.readouterr().err
    assert project.statuses() == {}


@pytest.mark.parametrize("answer", ["", "yes", "dev"])
def test_nothing_is_changed_without_the_name_of_the_environment(make: Make, answer: str) -> None:
    project = make()
    with pytest.raises(UserError, match="nothing was changed"):
        migrate(project.aws, project.legacy, project.stacks, QUIET, lambda _: answer)
    assert find_stack(project.cloudformation, project.legacy)["StackStatus"] == "CREATE_COMPLETE"
    migrate(project.aws, project.legacy, project.stacks, QUIET, lambda _: "local")


def test_without_a_terminal_there_is_no_consent(make: Make) -> None:
    def nobody(_: str) -> str:
        raise EOFError

    project = make()
    with pytest.raises(UserError, match="--yes"):
        migrate(project.aws, project.legacy, project.stacks, QUIET, nobody)
    assert project.statuses() == {}


def test_the_legacy_stack_is_not_deleted_unless_its_template_retains_all(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make()
    module = importlib.import_module("helpers.infra.stacks.migrate")
    monkeypatch.setattr(module, "retaining", lambda text, _: retaining(text, ["DataKey", "DataBucket"]))
    with pytest.raises(UserError, match=r"because VolumeKey \(DeletionPolicy Delete\), ArtifactBu"):
        project.migrate()
    assert find_stack(project.cloudformation, project.legacy)["StackStatus"] == "UPDATE_COMPLETE"


def test_a_stack_that_is_not_of_the_legacy_template_is_left_alone(make: Make) -> None:
    project = make(template=None)
    other = "Resources:\n  DataBucket: {Type: AWS::S3::Bucket}\nOutputs: {Name: {Value: !Ref DataBucket}}\n"
    deploy(project.cloudformation, StackConfiguration("local", project.legacy, other, {}, {}), QUIET)
    with pytest.raises(UserError, match="it has no ArtifactBucket, DataKey, VolumeKey"):
        project.migrate()
    assert find_stack(project.cloudformation, project.legacy)


def test_a_creation_that_failed_holds_nothing_to_move(make: Make) -> None:
    project = make(template=None)
    configuration = StackConfiguration(
        "local", project.legacy, "Resources: {K: {Type: AWS::KMS::Key}}", {}, {}
    )
    create_change_set(project.cloudformation, configuration, "CREATE", Polling())
    with pytest.raises(UserError, match=r"has nothing to migrate\nHint: .* aws cloudformation delete-stack"):
        project.migrate()


def test_new_stacks_with_keys_of_their_own_are_reported_before_the_legacy_stack_is_touched(
    make: Make,
) -> None:
    project = make()
    deploy_all(project.cloudformation, project.stacks[:1], QUIET)
    with pytest.raises(UserError, match=f"{project.legacy}-keys has a DataKey of its own"):
        project.migrate()
    assert find_stack(project.cloudformation, project.legacy)["StackStatus"] == "CREATE_COMPLETE"


def test_a_deployment_during_a_migration_is_reported(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make()
    dies_after(monkeypatch, "execute_and_wait", 2)  # the keys are imported, the buckets are not
    with pytest.raises(Crash):
        project.migrate()
    monkeypatch.undo()
    deploy_all(project.cloudformation, project.stacks[:3], QUIET)
    with pytest.raises(UserError, match=f"{project.legacy}-storage has a DataBucket of its own") as output:
        project.migrate()
    assert "-keys has" not in str(output.value)
    bucket = project.moved(f"{project.legacy}-storage")["DataBucket"]
    assert bucket != project.ids["DataBucket"]
    teardown(project.aws, project.stacks[2:3], QUIET)
    project.migrate()
    assert project.moved(f"{project.legacy}-keys", f"{project.legacy}-storage") == project.ids


def dies_after(monkeypatch: pytest.MonkeyPatch, function: str, call: int) -> None:
    module = importlib.import_module("helpers.infra.stacks.migrate")
    original, calls = getattr(module, function), []

    def dies(*arguments: Any) -> Any:
        answer = original(*arguments)
        calls.append(answer)
        if len(calls) == call:
            raise Crash
        return answer

    monkeypatch.setattr(module, function, dies)


def test_a_key_that_went_after_the_legacy_stack_is_reported_and_can_be_brought_back(
    make: Make, monkeypatch: pytest.MonkeyPatch, aws: boto3.Session
) -> None:
    project = make()
    dies_after(monkeypatch, "_delete", 1)
    with pytest.raises(Crash):
        project.migrate()
    monkeypatch.undo()
    kms, key = aws.client("kms"), project.ids["DataKey"]
    kms.schedule_key_deletion(KeyId=key)
    with pytest.raises(UserError, match=rf"retained DataKey \({key}\), which is deleted now or pending"):
        project.migrate()
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    project.migrate()
    assert project.moved(f"{project.legacy}-keys", f"{project.legacy}-storage") == project.ids


def test_a_legacy_stack_that_was_deleted_with_its_data_is_not_taken_for_a_partial_migration(
    make: Make,
) -> None:
    project = make()
    for name in ("ArtifactBucket", "DataBucket"):
        bucket = project.aws.resource("s3").Bucket(project.ids[name])
        bucket.object_versions.delete()
    project.cloudformation.delete_stack(StackName=project.legacy)
    assert project.migrate() == {}
    assert project.statuses() == {}
    project.deploy_legacy()
    project.migrate()  # the second stack of the name, not the first
    assert project.moved(f"{project.legacy}-keys", f"{project.legacy}-storage") == project.ids


def test_a_deletion_that_fails_is_reported_and_can_be_repeated(make: Make, aws: boto3.Session) -> None:
    project, ec2 = make(template=LEGACY), aws.client("ec2")
    resources = stack_resources(project.cloudformation, project.legacy)
    (vpc,) = [each["PhysicalResourceId"] for each in resources if each["LogicalResourceId"] == "Vpc"]
    foreign = ec2.create_security_group(GroupName="foreign", Description="foreign", VpcId=vpc)["GroupId"]
    with pytest.raises(
        UserError, match=r"deletion of .* failed: DELETE_FAILED(.|\n)*not complete.*\n?.*make migrate"
    ):
        project.migrate()
    ec2.delete_security_group(GroupId=foreign)
    project.migrate()
    assert project.moved(f"{project.legacy}-keys", f"{project.legacy}-storage") == project.ids


def test_a_bucket_that_would_be_replaced_stops_the_deployment(make: Make) -> None:
    project = make()
    before = project.versions()
    path = project.infra / "storage.yaml"
    text = path.read_text()
    path.write_text(
        text.replace("          VersioningConf", "          BucketName: x\n          VersioningConf", 1)
    )
    with pytest.raises(
        UserError, match=r"lose data:\n  - DataBucket \(AWS::S3::Bucket\): replace BucketName\n"
    ):
        project.migrate()
    assert project.statuses()["storage"] == "IMPORT_COMPLETE"
    path.write_text(text)
    project.migrate()
    assert project.versions() == before


# --- decisions --------------------------------------------------------------------------------------------


def planned(*changes: PlannedChange) -> PlannedChangeSet:
    return PlannedChangeSet("id", "stack-id", "x-dev-keys", changes, is_empty=False)


@pytest.mark.parametrize(
    ("action", "name", "type_", "loses"),
    [
        ("change", "DataKey", "AWS::KMS::Key", False),
        ("add", "LogKey", "AWS::KMS::Key", False),
        ("replace", "Vpc", "AWS::EC2::VPC", False),
        ("add", "DataKey", "AWS::KMS::Key", True),
        ("replace", "DataKey", "AWS::KMS::Key", True),
        ("may replace", "DataBucket", "AWS::S3::Bucket", True),
        ("delete", "LogKey", "AWS::KMS::Key", True),
    ],
)
def test_what_would_lose_data(action: str, name: str, type_: str, *, loses: bool) -> None:
    changes = planned(PlannedChange(action, name, type_, "Description, KeySpec", "KeySpec"))
    if not loses:
        reject_loss(changes)
        return
    with pytest.raises(UserError, match=rf"x-dev-keys would lose data:\n  - {name} .* {action} KeySpec"):
        reject_loss(changes)


def test_retaining_is_all_that_the_legacy_stack_may_be_changed_by() -> None:
    reject_more_than_retention(planned(PlannedChange("change", "DataKey", "K", "Metadata, DeletionPolicy")))
    for change in (
        PlannedChange("change", "DataKey", "K", "Metadata, KeyPolicy"),
        PlannedChange("replace", "DataKey", "K", "Metadata"),
        PlannedChange("delete", "DataKey", "K", ""),
    ):
        with pytest.raises(UserError, match="must only be updated to retain resources"):
            reject_more_than_retention(planned(change))


class Loader(yaml.SafeLoader):
    """Distinguishes the short forms: `!If [A, B]` is not `[A, B]`."""


def tagged(loader: Any, suffix: str, node: Any) -> Any:
    kinds = {yaml.ScalarNode: "scalar", yaml.SequenceNode: "sequence", yaml.MappingNode: "mapping"}
    return (suffix, getattr(loader, f"construct_{kinds[type(node)]}")(node))


Loader.add_multi_constructor("!", tagged)


@pytest.mark.parametrize(
    "template",
    [
        LEGACY,
        json.dumps(
            {"Resources": {"DataKey": {"Type": "K"}, "Other": {"Type": "K", "DeletionPolicy": "Delete"}}}
        ),
        "Resources:\n  DataKey: {Type: K, DeletionPolicy: !If [A, Retain, Delete]}\n  Other: {Type: K}\n",
        "Resources:\n  DataKey:\n    DeletionPolicy:\n      Fn::If:\n        - A\n        - B\n    Type: K\n",
        "Resources:\n  DataKey:\n    Metadata:\n      a: b\n    DeletionPolicy: !If\n    - A\n\n    Type: K",
    ],
)
def test_a_template_is_changed_by_the_retention_of_some_resources_and_nothing_else(template: str) -> None:
    names = [name for name in TYPES if name in template]
    was = yaml.load(template, Loader=Loader)
    is_now = yaml.load(retaining(template, names), Loader=Loader)
    for name in names:
        definition, before = is_now["Resources"][name], was["Resources"][name]
        assert definition.pop("DeletionPolicy") == definition.pop("UpdateReplacePolicy") == "Retain"
        metadata = definition.pop("Metadata")
        assert metadata == before.pop("Metadata", metadata)
        before.pop("DeletionPolicy", None), before.pop("UpdateReplacePolicy", None)
    assert is_now == was


def test_a_role_that_is_gone_is_not_in_the_policy_that_an_import_names() -> None:
    kept = [
        {"Sid": "A", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Sid": "B", "Principal": "*"},
        {"Sid": "C", "Principal": {"Service": "logs.amazonaws.com"}},
    ]
    gone = [{"Sid": "D", "Principal": {"AWS": ["AROAIOSFODNN7EXAMPLE4"]}}]
    assert without_deleted_principals({"Version": "2012-10-17", "Statement": [*kept, *gone]}) == {
        "Version": "2012-10-17",
        "Statement": kept,
    }


# --- imports on the embedded AWS --------------------------------------------------------------------------

BUCKET = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}


@pytest.fixture
def bucket(aws: boto3.Session) -> str:
    name = f"by-hand-{uuid.uuid4().hex[:8]}"
    create_bucket(aws.client("s3"), name)
    return name


def import_of(
    aws: boto3.Session, bucket: str, template: dict[str, Any] | None = None, name: str = "", **wrong: Any
) -> Any:
    return aws.client("cloudformation").create_change_set(
        StackName=name or f"import-{uuid.uuid4().hex[:8]}",
        ChangeSetName="import",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template or {"Resources": {"Bucket": BUCKET}}),
        ResourcesToImport=[
            {
                "ResourceType": "AWS::S3::Bucket",
                "LogicalResourceId": "Bucket",
                "ResourceIdentifier": {"BucketName": bucket},
                **wrong,
            }
        ],
    )


@pytest.mark.parametrize(
    ("template", "wrong", "message"),
    [
        (
            {"Resources": {"Bucket": BUCKET, "Other": {"Type": "AWS::SNS::Topic"}}},
            {},
            r"Resources \[Other\] is missing from ResourceToImport list",
        ),
        (
            {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}},
            {},
            r"resources to import \[Bucket\] must have DeletionPolicy attribute",
        ),
        (
            {"Resources": {"Bucket": BUCKET}, "Outputs": {"A": {"Value": "a"}}},
            {},
            r"you cannot modify or add \[Outputs\]",
        ),
        (None, {"LogicalResourceId": "Other"}, r"ids \[Other\] provided in ResourceToImport do not exist"),
        (
            None,
            {"ResourceType": "AWS::KMS::Key"},
            "does not match with resource type defined in the template",
        ),
        (
            None,
            {"ResourceIdentifier": {"Name": "b"}},
            r"Invalid resource identifier .* Expected \[BucketName\]",
        ),
        (
            {"Resources": {"Bucket": {**BUCKET, "Type": "AWS::SNS::Topic"}}},
            {"ResourceType": "AWS::SNS::Topic"},
            r"ResourceTypes \[AWS::SNS::Topic\] are not supported for Import",
        ),
    ],
)
def test_imports_that_aws_rejects_are_rejected_and_leave_no_stack(
    aws: boto3.Session, bucket: str, template: dict[str, Any] | None, wrong: dict[str, Any], message: str
) -> None:
    cloudformation, name = aws.client("cloudformation"), f"import-{uuid.uuid4().hex[:8]}"
    with pytest.raises(cloudformation.exceptions.ClientError, match=message):
        import_of(aws, bucket, template, name, **wrong)
    assert find_stack(cloudformation, name) is None


def test_an_imported_bucket_is_as_it_was_until_an_update_and_stays_when_the_stack_goes(
    aws: boto3.Session, bucket: str
) -> None:
    cloudformation, s3 = aws.client("cloudformation"), aws.client("s3")
    created = import_of(aws, bucket)
    (change,) = cloudformation.describe_change_set(ChangeSetName=created["Id"])["Changes"]
    assert change["ResourceChange"]["Action"] == "Import"
    assert change["ResourceChange"]["PhysicalResourceId"] == bucket
    cloudformation.execute_change_set(ChangeSetName=created["Id"])
    stack_id = created["StackId"]
    events = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"][::-1]
    assert [each["ResourceStatus"] for each in events] == [
        "REVIEW_IN_PROGRESS", "IMPORT_IN_PROGRESS", "IMPORT_IN_PROGRESS", "IMPORT_COMPLETE", "IMPORT_COMPLETE"
    ]  # fmt: skip
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)

    versioned = {**BUCKET, "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
    text = json.dumps({"Resources": {"Bucket": versioned}, "Outputs": {"Name": {"Value": {"Ref": "Bucket"}}}})
    found = deploy(cloudformation, StackConfiguration("local", stack_id.split("/")[1], text, {}, {}), QUIET)
    assert found == {"Name": bucket}
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"

    with pytest.raises(cloudformation.exceptions.ClientError, match="already in a stack and cannot be imp"):
        import_of(aws, bucket, json.loads(text), stack_id.split("/")[1])
    other = import_of(aws, bucket)
    described = cloudformation.describe_change_set(ChangeSetName=other["Id"])
    assert described["Status"] == "FAILED"
    assert described["StatusReason"] == f"{bucket} already exists in stack {stack_id}"

    cloudformation.delete_stack(StackName=stack_id)
    s3.head_bucket(Bucket=bucket)
    (left,) = stack_resources(cloudformation, stack_id)
    assert (left["ResourceStatus"], left["PhysicalResourceId"]) == ("DELETE_SKIPPED", bucket)


def test_what_is_not_there_cannot_be_imported(aws: boto3.Session) -> None:
    cloudformation = aws.client("cloudformation")
    created = import_of(aws, "never-there")
    described = cloudformation.describe_change_set(ChangeSetName=created["Id"])
    assert described["Status"] == "FAILED"
    assert described["StatusReason"] == (
        "Resource of type 'AWS::S3::Bucket' with identifier 'never-there' was not found."
    )


def test_an_import_that_fails_is_reported_and_its_stack_is_deleted(make: Make, aws: boto3.Session) -> None:
    """The bucket is deleted between the change set and its execution."""
    project, s3 = make(template=None), aws.client("s3")
    name, bucket = f"{project.legacy}-storage", f"short-lived-{uuid.uuid4().hex[:8]}"
    create_bucket(s3, bucket)
    text = json.dumps({"Resources": {"DataBucket": BUCKET}})
    changes = create_change_set(
        project.cloudformation,
        StackConfiguration("local", name, text, {}, {}),
        "IMPORT",
        Polling(),
        [
            {
                "ResourceType": "AWS::S3::Bucket",
                "LogicalResourceId": "DataBucket",
                "ResourceIdentifier": {"BucketName": bucket},
            }
        ],
    )
    s3.delete_bucket(Bucket=bucket)
    with pytest.raises(
        UserError, match=r"IMPORT_ROLLBACK_COMPLETE. The first failure: DataBucket .* was not fo"
    ):
        execute_and_wait(project.cloudformation, changes, QUIET, Polling())
    project.deploy_legacy()
    project.migrate()
    assert project.moved(f"{project.legacy}-keys", name) == project.ids
