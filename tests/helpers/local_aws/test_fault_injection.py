"""Fault injection: none by default, configured with a variable or while the server runs."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from helpers.errors import UserError
from helpers.local_aws import lifecycle
from helpers.local_aws.fault_injection import FaultInjection, Faults, inject
from helpers.local_aws.server_state import ServerState


def test_nothing_is_injected_by_default() -> None:
    injection = FaultInjection()

    assert injection.faults == Faults.parse("") == Faults(0, 0, 0, 0)
    assert not any(injection.throttles() for _ in range(100))


def test_faults_are_named_in_one_variable() -> None:
    assert Faults.parse("throttling=0.1, stack_seconds=2") == Faults(throttling=0.1, stack_seconds=2)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("slow=1", "slow is unknown; expected one of throttling, stack_seconds, propagation_seconds"),
        ("throttling=1", "throttling=1: expected a number from 0 to 0.99"),
        ("stack_seconds", "stack_seconds=: expected a number from 0 to 3600"),
        ("stack_seconds=-1", "stack_seconds=-1: expected a number from 0 to 3600"),
        ("stack_seconds=nan", "stack_seconds=nan: expected a number"),
        ("session_seconds=1h", "session_seconds=1h: expected a number"),
    ],
)
def test_what_cannot_be_injected_is_named(text: str, problem: str) -> None:
    with pytest.raises(UserError, match=r"^LOCAL_AWS_FAULTS: ") as caught:
        Faults.parse(text)

    assert problem in str(caught.value)


def test_a_share_of_requests_is_throttled() -> None:
    injection = FaultInjection()
    injection.faults = Faults(throttling=0.25)

    assert 200 < sum(injection.throttles() for _ in range(1000)) < 300


# Over HTTP, on a separate server.

TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Steps": [{"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}],
    }
)
TOPIC = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
TWO_TOPICS = json.dumps({"Resources": {name: {"Type": "AWS::SNS::Topic"} for name in ("Topic", "Other")}})


class FaultyAws(NamedTuple):
    state: ServerState

    def inject(self, **faults: float) -> None:
        nothing = {"throttling": 0, "stack_seconds": 0, "propagation_seconds": 0, "session_seconds": 0}
        inject(self.state.endpoint, self.state.secret_key, **{**nothing, **faults})

    def client(self, service: Any, **keys: str) -> Any:
        own = {
            "aws_access_key_id": self.state.access_key,
            "aws_secret_access_key": self.state.secret_key,
        }
        config = Config(retries={"total_max_attempts": 1})
        return boto3.client(
            service,
            endpoint_url=self.state.endpoint,
            region_name="us-east-1",
            config=config,
            **(keys or own),
        )


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyAws]:
    folder = tmp_path_factory.mktemp("local_aws")
    state, _ = lifecycle.up(folder, port=0)
    yield FaultyAws(state)
    lifecycle.down(folder)


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("s3", "list_buckets", "SlowDown"),
        ("ec2", "describe_vpcs", "RequestLimitExceeded"),
        ("cloudformation", "list_stacks", "Throttling"),
        ("iam", "list_roles", "Throttling"),
        ("kms", "list_keys", "ThrottlingException"),
        ("sagemaker", "list_pipelines", "ThrottlingException"),
        ("efs", "describe_file_systems", "Throttling"),
    ],
)
def test_a_request_is_throttled_with_the_code_of_its_service(
    faulty: FaultyAws, service: str, operation: str, code: str
) -> None:
    faulty.inject(throttling=0.99)

    codes: set[str] = set()
    for _ in range(5):
        with suppress_client_errors(codes):
            getattr(faulty.client(service), operation)()

    assert codes == {code}


def test_stacks_and_change_sets_stay_in_progress(faulty: FaultyAws) -> None:
    faulty.inject(stack_seconds=0.5)
    cloudformation = faulty.client("cloudformation")
    stack = cloudformation.create_stack(StackName="slow", TemplateBody=TOPIC)["StackId"]

    assert status(cloudformation, stack) == "CREATE_IN_PROGRESS"
    with pytest.raises(ClientError, match="CREATE_IN_PROGRESS"):
        cloudformation.update_stack(StackName=stack, TemplateBody=TWO_TOPICS)
    assert settled(cloudformation, stack) == "CREATE_COMPLETE"

    words = {"StackName": stack, "ChangeSetName": "another-topic"}
    cloudformation.create_change_set(**words, TemplateBody=TWO_TOPICS)
    assert cloudformation.describe_change_set(**words)["Status"] == "CREATE_IN_PROGRESS"
    with pytest.raises(cloudformation.exceptions.InvalidChangeSetStatusException):
        cloudformation.execute_change_set(**words)
    cloudformation.get_waiter("change_set_create_complete").wait(**words, WaiterConfig={"Delay": 1})
    cloudformation.execute_change_set(**words)
    assert status(cloudformation, stack) == "UPDATE_IN_PROGRESS"
    assert settled(cloudformation, stack) == "UPDATE_COMPLETE"

    detection = cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    found = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    assert found["DetectionStatus"] == "DETECTION_IN_PROGRESS"

    cloudformation.delete_stack(StackName=stack)
    assert status(cloudformation, stack) == "DELETE_IN_PROGRESS"
    assert settled(cloudformation, stack) == "DELETE_COMPLETE"


def test_a_new_role_is_unknown_to_the_service_that_assumes_it(faulty: FaultyAws) -> None:
    faulty.inject(propagation_seconds=3600)
    role = faulty.client("iam").create_role(RoleName="new", AssumeRolePolicyDocument=json.dumps(TRUST))
    sagemaker = faulty.client("sagemaker")
    words = {
        "PipelineName": "early",
        "PipelineDefinition": DEFINITION,
        "RoleArn": role["Role"]["Arn"],
        "ClientRequestToken": "t" * 32,
    }

    with pytest.raises(ClientError, match="Could not assume role"):
        sagemaker.create_pipeline(**words)

    faulty.inject()
    assert sagemaker.create_pipeline(**words)["PipelineArn"].endswith("pipeline/early")


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("s3", "list_buckets", "ExpiredToken"),
        ("ec2", "describe_vpcs", "RequestExpired"),
        ("sts", "get_caller_identity", "ExpiredToken"),
        ("kms", "list_keys", "ExpiredTokenException"),
    ],
)
def test_credentials_of_a_role_expire(faulty: FaultyAws, service: str, operation: str, code: str) -> None:
    faulty.inject()
    name = f"expiring-{service}"
    role = faulty.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    issued = faulty.client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="session")[
        "Credentials"
    ]
    session = faulty.client(
        service,
        aws_access_key_id=issued["AccessKeyId"],
        aws_secret_access_key=issued["SecretAccessKey"],
        aws_session_token=issued["SessionToken"],
    )
    getattr(session, operation)()

    faulty.inject(session_seconds=0.001)

    codes: set[str] = set()
    with suppress_client_errors(codes):
        getattr(session, operation)()
    assert codes == {code}


def test_only_who_has_the_secret_key_injects_faults(faulty: FaultyAws) -> None:
    with pytest.raises(HTTPError, match="403"):
        inject(faulty.state.endpoint, "a guess", throttling=0.5)
    with pytest.raises(HTTPError, match="400"):
        inject(faulty.state.endpoint, faulty.state.secret_key, slow=1)


def test_a_server_does_not_start_with_invalid_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_AWS_FAULTS", "slow=1")

    with pytest.raises(UserError, match="LOCAL_AWS_FAULTS: slow is unknown; expected one of throttling"):
        lifecycle.up(tmp_path, port=0)


@contextmanager
def suppress_client_errors(codes: set[str]) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        codes.add(error.response["Error"]["Code"])


def status(cloudformation: Any, stack: str) -> str:
    found: str = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    return found


def settled(cloudformation: Any, stack: str) -> str:
    until(lambda: not status(cloudformation, stack).endswith("_IN_PROGRESS"))
    return status(cloudformation, stack)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
