"""After a server ends or is killed, the next one has the same state for its clients."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from helpers.aws import Session
from helpers.errors import UserError
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.local_aws import lifecycle
from helpers.local_aws.fault_injection import inject
from helpers.local_aws.jobs.job import HOST_FAILURE
from helpers.local_aws.persistence.snapshot import FILE
from tests.helpers.local_aws.conftest import Pipelines, job_request
from tests.infra_folder import every_stack
from tests.process_environment import restored_environment
from tests.quiet_console import QuietConsole

ACCOUNT = "123456789012"
BUCKET = "kept-bucket"
SLEEP = "import time; time.sleep(600)"
LARGE, SMALL = b"large" * 20_000, b"small"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com", "AWS": "*"},
            "Action": "sts:AssumeRole",
        }
    ],
}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
TOPIC = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
TWO_TOPICS = {"Resources": {**TOPIC["Resources"], "Other": {"Type": "AWS::SNS::Topic"}}}

READS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "vpcs": ("ec2", "describe_vpcs", {}),
    "subnets": ("ec2", "describe_subnets", {}),
    "route tables": ("ec2", "describe_route_tables", {}),
    "security groups": ("ec2", "describe_security_groups", {}),
    "rules": ("ec2", "describe_security_group_rules", {}),
    "endpoints": ("ec2", "describe_vpc_endpoints", {}),
    "flow logs": ("ec2", "describe_flow_logs", {}),
    "interfaces": ("ec2", "describe_network_interfaces", {}),
    "roles and policies": ("iam", "get_account_authorization_details", {}),
    "identity providers": ("iam", "list_open_id_connect_providers", {}),
    "keys": ("kms", "list_keys", {}),
    "aliases": ("kms", "list_aliases", {}),
    "buckets": ("s3", "list_buckets", {}),
    "versions": ("s3", "list_object_versions", {"Bucket": BUCKET}),
    "uploads": ("s3", "list_multipart_uploads", {"Bucket": BUCKET}),
    "object tags": ("s3", "get_object_tagging", {"Bucket": BUCKET, "Key": "small"}),
    "log groups": ("logs", "describe_log_groups", {}),
    "log": ("logs", "filter_log_events", {"logGroupName": "/aws/sagemaker/ProcessingJobs"}),
    "topics": ("sns", "list_topics", {}),
    "subscriptions": ("sns", "list_subscriptions", {}),
    "rules of events": ("events", "list_rules", {}),
    "dashboards": ("cloudwatch", "list_dashboards", {}),
    "budgets": ("budgets", "describe_budgets", {"AccountId": ACCOUNT}),
    "trails": ("cloudtrail", "describe_trails", {}),
    "file systems": ("efs", "describe_file_systems", {}),
    "parameters": ("ssm", "get_parameter", {"Name": "kept"}),
    "secrets": ("secretsmanager", "get_secret_value", {"SecretId": "kept"}),
    "domains": ("sagemaker", "list_domains", {}),
    "profiles": ("sagemaker", "list_user_profiles", {}),
    "stacks": ("cloudformation", "describe_stacks", {}),
    "pipelines": ("sagemaker", "list_pipelines", {}),
    "executions": ("sagemaker", "list_pipeline_executions", {"PipelineName": "finished"}),
    "jobs": ("sagemaker", "list_processing_jobs", {}),
}


class Server:
    """A separate server that keeps its state, with the resources of the test."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.state, _ = lifecycle.up(folder, 0)

    def restart(self, end: Callable[[], object]) -> None:
        end()
        process = self.state.process()
        assert process is None or process.wait(20) is None or self.state.process() is None
        self.state, _ = lifecycle.up(self.folder, 0)

    def down(self) -> None:
        lifecycle.down(self.folder)

    def kill(self) -> None:
        os.kill(self.state.pid, signal.SIGKILL)

    @property
    def aws(self) -> boto3.Session:
        environment = self.state.environment()
        os.environ.update(environment)
        return Session()

    def read(self) -> dict[str, Any]:
        """Return what clients see."""
        found = {}
        for name, (service, operation, arguments) in READS.items():
            found[name] = getattr(self.aws.client(service), operation)(**arguments)
            del found[name]["ResponseMetadata"]
        return json.loads(json.dumps(found, default=str), object_hook=without_time_of_reading)


def without_time_of_reading(members: dict[str, Any]) -> dict[str, Any]:
    """Remove the time of the request from the size of file systems."""
    return {name: value for name, value in members.items() if name != "Timestamp"}


def make(aws: boto3.Session) -> tuple[str, Pipelines]:
    """Create what templates do not have: objects, logs, jobs, executions; return the ID of an open upload."""
    s3, iam = aws.client("s3"), aws.client("iam")
    role = iam.create_role(RoleName="kept", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="kept", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", LARGE):
        s3.put_object(Bucket=BUCKET, Key="large", Body=body)
    s3.put_object(Bucket=BUCKET, Key="small", Body=SMALL, Tagging="a=b", Metadata={"c": "d"})
    s3.put_object(Bucket=BUCKET, Key="deleted", Body=LARGE)
    s3.delete_object(Bucket=BUCKET, Key="deleted")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=1, Body=LARGE)
    aws.client("ssm").put_parameter(Name="kept", Value="value", Type="String")
    aws.client("secretsmanager").create_secret(Name="kept", SecretString="secret")
    pipelines = Pipelines(aws, role)
    step = {
        "Name": "Print",
        "Type": "Processing",
        "Arguments": job_request(role, "print('kept line')"),
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"},
    }
    definition = {"Version": "2020-12-01", "Steps": [step]}
    aws.client("sagemaker").create_pipeline(
        PipelineName="finished", PipelineDefinition=json.dumps(definition), RoleArn=role
    )
    assert pipelines.run("finished")["PipelineExecutionStatus"] == "Succeeded"
    return upload, pipelines


def put_until_it_ends(aws: boto3.Session, answered: list[str]) -> None:
    s3 = aws.client("s3")
    try:
        for number in range(100_000):
            s3.put_object(Bucket=BUCKET, Key=f"load/{number}", Body=LARGE if number % 2 else SMALL)
            answered.append(f"load/{number}")
    except (ClientError, BotoCoreError):
        return


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The state as created, after a normal shutdown, and after a kill during work."""
    with restored_environment():
        os.environ["LOCAL_AWS_STATE"] = "keep"
        server = Server(tmp_path_factory.mktemp("kept"))
        try:
            stacks = with_regional_values(server.aws.client("ec2"), every_stack("kept"))
            deploy_all(server.aws.client("cloudformation"), stacks, QuietConsole())
            upload, _ = make(server.aws)
            found: dict[str, Any] = {"server": server, "stacks": stacks, "upload": upload}
            found["made"] = server.read()
            stack_ids = [stack["StackId"] for stack in found["made"]["stacks"]["Stacks"]]
            found["drifts"] = drifts(server.aws, stack_ids)
            server.restart(server.down)
            found["after down"] = server.read()
            found |= begin_work(server)
            server.restart(server.kill)
            yield found
        finally:
            lifecycle.down(server.folder)


def drifts(aws: boto3.Session, stack_ids: list[str]) -> dict[str, Any]:
    """The differences from each stack's template, by the properties of its resources."""
    cloudformation = aws.client("cloudformation")
    for stack_id in stack_ids:
        cloudformation.detect_stack_drift(StackName=stack_id)
    return {
        (stack_id, drift["LogicalResourceId"]): {**drift, "Timestamp": None}
        for stack_id in stack_ids
        for drift in cloudformation.describe_stack_resource_drifts(StackName=stack_id)["StackResourceDrifts"]
    }


def begin_work(server: Server) -> dict[str, Any]:
    """Start work that continues when the server is killed."""
    aws = server.aws
    role = aws.client("iam").get_role(RoleName="kept")["Role"]["Arn"]
    session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="kept")["Credentials"]
    pipelines, sagemaker = Pipelines(aws, role), aws.client("sagemaker")
    running = pipelines.start(
        pipelines.create(
            {
                "Name": "Sleep",
                "Type": "Processing",
                "Arguments": job_request(role, "import time; time.sleep(600)"),
            },
            {"Name": "After", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}, "DependsOn": ["Sleep"]},
        )
    )
    sagemaker.create_processing_job(ProcessingJobName="alone", **job_request(role, SLEEP))
    while pipelines.steps(running).get("Sleep", {}).get("StepStatus") != "Executing":
        time.sleep(0.05)
    cloudformation = aws.client("cloudformation")
    for name in ("updated", "deleted"):
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(TOPIC))
    inject(server.state.endpoint, server.state.secret_key, stack_seconds=600)
    cloudformation.create_stack(StackName="created", TemplateBody=json.dumps(TOPIC))
    cloudformation.update_stack(StackName="updated", TemplateBody=json.dumps(TWO_TOPICS))
    cloudformation.delete_stack(StackName="deleted")
    answered: list[str] = []
    load = threading.Thread(target=put_until_it_ends, args=(aws, answered))
    load.start()
    while len(answered) < 10:
        time.sleep(0.01)
    return {"running": running, "session": session, "answered": answered, "load": load}


@pytest.mark.parametrize("name", READS)
def test_what_was_made_is_there_after_an_end(history: dict[str, Any], name: str) -> None:
    assert any(history["made"][name].values())
    assert history["after down"][name] == history["made"][name]


def test_content_of_objects_is_there_after_a_kill(history: dict[str, Any]) -> None:
    s3 = history["server"].aws.client("s3")
    large, small = (s3.get_object(Bucket=BUCKET, Key=key) for key in ("large", "small"))
    first = s3.list_object_versions(Bucket=BUCKET, Prefix="large")["Versions"][-1]["VersionId"]

    assert large["Body"].read() == LARGE
    assert small["Body"].read() == SMALL
    assert small["Metadata"] == {"c": "d"}
    assert s3.get_object(Bucket=BUCKET, Key="large", VersionId=first)["Body"].read() == b"first"
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=BUCKET, Key="deleted")


def test_an_upload_continues(history: dict[str, Any]) -> None:
    s3, upload = history["server"].aws.client("s3"), history["upload"]
    (part,) = s3.list_parts(Bucket=BUCKET, Key="parts", UploadId=upload)["Parts"]
    s3.complete_multipart_upload(
        Bucket=BUCKET,
        Key="parts",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )

    assert s3.get_object(Bucket=BUCKET, Key="parts")["Body"].read() == LARGE


def test_what_was_answered_before_a_kill_is_there(history: dict[str, Any]) -> None:
    history["load"].join()
    s3 = history["server"].aws.client("s3")

    assert len(history["answered"]) >= 10
    for number, key in enumerate(history["answered"]):
        expected = LARGE if number % 2 else SMALL
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == expected


def test_a_job_that_ran_has_failed(history: dict[str, Any]) -> None:
    sagemaker = history["server"].aws.client("sagemaker")

    alone = sagemaker.describe_processing_job(ProcessingJobName="alone")

    assert alone["ProcessingJobStatus"] == "Failed"
    assert alone["FailureReason"] == HOST_FAILURE
    assert alone["ProcessingEndTime"]


def test_an_execution_that_ran_has_failed_and_can_be_retried(history: dict[str, Any]) -> None:
    aws, arn = history["server"].aws, history["running"]
    pipelines = Pipelines(aws, "")
    execution = pipelines.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)

    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == f"Step failure: Sleep: {HOST_FAILURE}"
    assert pipelines.steps(arn)["Sleep"]["StepStatus"] == "Failed"
    pipelines.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    while pipelines.steps(arn).get("Sleep", {}).get("StepStatus") != "Executing":
        time.sleep(0.05)
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Stopped"


def test_a_result_is_reused(history: dict[str, Any]) -> None:
    pipelines = Pipelines(history["server"].aws, "")
    arn = pipelines.start("finished")

    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert pipelines.steps(arn)["Print"]["CacheHitResult"]


def test_credentials_of_a_session_are_accepted(history: dict[str, Any]) -> None:
    session = history["session"]
    aws = boto3.Session(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])

    assert ":assumed-role/kept/" in aws.client("sts").get_caller_identity()["Arn"]


@pytest.mark.parametrize(
    ("name", "status"),
    [("created", "ROLLBACK_COMPLETE"), ("updated", "UPDATE_ROLLBACK_COMPLETE"), ("deleted", "DELETE_FAILED")],
)
def test_an_operation_on_a_stack_has_ended_and_can_be_repeated(
    history: dict[str, Any], name: str, status: str
) -> None:
    cloudformation = history["server"].aws.client("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]

    assert stack["StackStatus"] == status
    assert any("the embedded AWS ended" in event.get("ResourceStatusReason", "") for event in events)
    if name == "updated":
        cloudformation.update_stack(StackName=name, TemplateBody=json.dumps(TWO_TOPICS))
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"] == "UPDATE_COMPLETE"
        assert len(cloudformation.list_stack_resources(StackName=name)["StackResourceSummaries"]) == 2
    cloudformation.delete_stack(StackName=name)
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=name)


def test_stacks_are_deployed_as_before(history: dict[str, Any]) -> None:
    cloudformation = history["server"].aws.client("cloudformation")
    before = history["made"]["stacks"]

    deploy_all(cloudformation, history["stacks"], QuietConsole())
    after = json.loads(json.dumps(cloudformation.describe_stacks()["Stacks"], default=str))

    kept = {stack["StackId"] for stack in before["Stacks"]}
    assert [stack for stack in after if stack["StackId"] in kept] == before["Stacks"]
    assert drifts(history["server"].aws, list(kept)) == history["drifts"]


def test_only_the_owner_reads_it_and_nobody_else_has_it(history: dict[str, Any], tmp_path: Path) -> None:
    folder = history["server"].folder / "state"
    other = Server(tmp_path)
    buckets = other.aws.client("s3").list_buckets()["Buckets"]
    other.down()

    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
    assert buckets == []


def test_a_state_of_another_version_is_rejected_and_stays(history: dict[str, Any]) -> None:
    """The last test, because it stops the server."""
    folder = history["server"].folder
    lifecycle.down(folder)
    file = folder / "state" / FILE
    head, _, pickled = file.read_bytes().partition(b"\n")
    foreign = json.dumps({**json.loads(head), "moto": "5.2.4"}).encode() + b"\n" + pickled
    file.write_bytes(foreign)

    with pytest.raises(UserError) as caught:
        lifecycle.up(folder, 0)

    assert (
        f"LOCAL_AWS_STATE=keep: the state in {folder / 'state'} was written by moto 5.2.4, and this is "
        "5.2.5 (the whole log: "
    ) in str(caught.value)
    assert caught.value.hint == f"Delete it (rm -r {folder / 'state'}), or unset LOCAL_AWS_STATE"
    assert file.read_bytes() == foreign
