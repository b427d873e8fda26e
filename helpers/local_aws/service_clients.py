"""boto3 clients of the embedded AWS itself: the execution plane is an AWS client like any other."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from helpers.local_aws.credentials import Credentials

ROLE_SESSION = "SageMaker"


class RoleError(Exception):
    """The service cannot assume a role, in the words that SageMaker has for it."""


class ServiceClients:
    """Makes one client per service and region, on first use; clients are safe to share between threads."""

    def __init__(self, endpoint: str, credentials: Credentials):
        self.endpoint = endpoint
        self._credentials = credentials
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        core = botocore.session.get_session()
        # What the user's own AWS configuration says must not reach the embedded AWS.
        core.set_config_variable("config_file", "/dev/null")
        core.set_config_variable("credentials_file", "/dev/null")
        # The stubs have an overload per service, and here the service is a variable.
        self._make: Callable[..., Any] = boto3.Session(botocore_session=core).client

    def of(self, service: str, region: str) -> Any:
        """Return the client of a service, as `of("s3", "us-east-1")`."""
        with self._lock:
            key = (service, region)
            if key not in self._clients:
                self._clients[key] = self._make(
                    service,
                    region_name=region,
                    endpoint_url=self.endpoint,
                    aws_access_key_id=self._credentials.access_key,
                    aws_secret_access_key=self._credentials.secret_key,
                    config=Config(max_pool_connections=50, proxies={}, retries={"max_attempts": 3}),
                )
            return self._clients[key]

    def check_role(self, role_arn: str, region: str) -> None:
        """Check that a role exists and trusts SageMaker, as the service does before it starts anything.

        Raises:
            RoleError: it does not.
        """
        try:
            role = self.of("iam", region).get_role(RoleName=role_arn.rsplit("/", 1)[-1])["Role"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
            role = None
        if role is None or not _trusts_sagemaker(role["AssumeRolePolicyDocument"]):
            raise RoleError(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows "
                "principal 'sagemaker.amazonaws.com' to assume the role."
            )

    def role_credentials(self, role_arn: str, region: str) -> Credentials:
        """Return temporary credentials of a role, which a job then acts with."""
        answer = self.of("sts", region).assume_role(
            RoleArn=role_arn, RoleSessionName=ROLE_SESSION, DurationSeconds=43200
        )["Credentials"]
        return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])


def _trusts_sagemaker(policy: Mapping[str, Any] | str) -> bool:
    document = json.loads(policy) if isinstance(policy, str) else policy
    for statement in document.get("Statement", []):
        services = (statement.get("Principal") or {}).get("Service", [])
        if "sagemaker.amazonaws.com" in ([services] if isinstance(services, str) else services):
            return True
    return False
