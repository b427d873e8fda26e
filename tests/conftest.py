"""The embedded AWS for tests: one server per session, in a separate folder."""

import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import cache, wraps
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.session import Session as CoreSession
from hypothesis import settings

from helpers import progress
from helpers.aws import ANY_ENVIRONMENT, Session
from helpers.local_aws import lifecycle
from helpers.local_aws.server_state import ServerState
from helpers.service_models import share_with_all_sessions
from tests.process_environment import restored_environment

# Environments of any name use the embedded AWS here, also in processes that tests start.
os.environ[ANY_ENVIRONMENT] = "yes"

# An estimate from one test's run must not be shown in another's.
progress.DURATIONS = Path(os.devnull) / "durations.json"

# Tests create hundreds of sessions, each of which would parse the service models again.
share_with_all_sessions()

# By default (700), collections take a seventh of the time of tests that import moto or the SageMaker SDK.
gc.set_threshold(100_000)

# A shell that starts the tests in the background has them ignore SIGINT, which some tests send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# On a busy machine, commands are slow, which is not an error of the tested code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def untraced(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that disables coverage while it runs: tracing each line of other code is wasted."""

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return function(*arguments, **options)
        finally:
            sys.settrace(tracer)

    return call


# This halves the cost of boto3 under coverage, and runs no code of this repository.
BaseClient._make_api_call = untraced(BaseClient._make_api_call)
CoreSession.create_client = untraced(CoreSession.create_client)


LONGEST = (
    "e2e",
    "faults",
    "helpers/local_aws/spark_container",
    "helpers/infra/test_migrate.py",
    "ml_pipeline/test_under_faults.py",
    "infra",
    "ml_pipeline/packages",
    "ml_pipeline/spark",
    "helpers/local_aws",
    "spark_jobs",
    "ml_pipeline",
)
"""The folders and files with the longest tests, longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start long files first; otherwise one worker runs them at the end."""
    root = Path(__file__).parent

    @cache
    def rank(path: Path) -> int:
        places = [number for number, name in enumerate(LONGEST) if path.is_relative_to(root / name)]
        return min(places, default=len(LONGEST))

    items.sort(key=lambda item: rank(item.path))


def pytest_collection_finish() -> None:
    """Exempt the imported modules from garbage collection: they are never garbage."""
    gc.freeze()


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the server's state."""
    return tmp_path_factory.mktemp("local_aws")


@pytest.fixture(scope="session")
def server(server_folder: Path) -> Iterator[ServerState]:
    """The state of the server, which is stopped with all its jobs after the last test."""
    state, _ = lifecycle.up(server_folder, port=0)
    yield state
    lifecycle.down(server_folder)


@pytest.fixture(scope="session")
def aws(server: ServerState) -> Iterator[boto3.Session]:
    """A session for the embedded AWS; meanwhile, the environment of this process refers to it too."""
    with restored_environment():
        os.environ.update(server.environment())
        yield Session()


@pytest.fixture(scope="session")
def role(aws: boto3.Session) -> str:
    """ARN of a role that SageMaker can assume and that may perform all actions; other tests cover access."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    created = aws.client("iam").create_role(
        RoleName="pipeline-for-tests", AssumeRolePolicyDocument=json.dumps(trust)
    )
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    aws.client("iam").put_role_policy(
        RoleName="pipeline-for-tests", PolicyName="everything", PolicyDocument=json.dumps(everything)
    )
    return created["Role"]["Arn"]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).parents[1]
