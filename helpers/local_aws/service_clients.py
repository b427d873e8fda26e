"""boto3 clients of the embedded AWS itself: the execution plane uses AWS services like any other client."""

import threading
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from helpers.local_aws.credentials import Credentials
from helpers.local_aws.direct_requests import DirectRequests
from helpers.local_aws.s3_objects import EmbeddedS3Objects, S3Objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication

ROLE_SESSION = "SageMaker"


class ServiceClients:
    """Creates one client per service and region on first use. Clients are thread-safe."""

    def __init__(self, endpoint: str, credentials: Credentials, application: "WSGIApplication"):
        """Args: application: answers the requests; the endpoint is what jobs are given."""
        self.endpoint = endpoint
        self._direct_requests = DirectRequests(application)
        self._credentials = credentials
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        core = botocore.session.get_session()
        # The user's own AWS configuration must not apply to the embedded AWS.
        core.set_config_variable("config_file", "/dev/null")
        core.set_config_variable("credentials_file", "/dev/null")
        # The stubs have an overload per service, but here the service is a variable.
        self._make: Callable[..., Any] = boto3.Session(botocore_session=core).client

    def of(self, service: str, region: str) -> Any:
        """Return the client of a service, for example `of("s3", "us-east-1")`."""
        with self._lock:
            key = (service, region)
            if key not in self._clients:
                client = self._clients[key] = self._make(
                    service,
                    region_name=region,
                    endpoint_url=self.endpoint,
                    aws_access_key_id=self._credentials.access_key,
                    aws_secret_access_key=self._credentials.secret_key,
                    config=Config(max_pool_connections=50, proxies={}, retries={"max_attempts": 3}),
                )
                client.meta.events.register("before-send", self._direct_requests)
            return self._clients[key]

    def objects(self, region: str) -> S3Objects:
        """Return the objects of S3, with the permissions of `of("s3", region)`."""
        return EmbeddedS3Objects(self.of("s3", region))

    def role_credentials(self, role_arn: str, region: str) -> Credentials:
        """Return temporary credentials of a role for a job."""
        answer = self.of("sts", region).assume_role(
            RoleArn=role_arn, RoleSessionName=ROLE_SESSION, DurationSeconds=43200
        )["Credentials"]
        return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
