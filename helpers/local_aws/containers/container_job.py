"""The input of a container, and its result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from helpers.local_aws.credentials import Credentials

FIRST_HOST = "algo-1"


class Output(Protocol):
    """Receives each line that the containers of a job print."""

    def __call__(self, line: str, host: str = FIRST_HOST) -> None:
        """Receive a line from the container of an instance."""


def aws_environment(credentials: Credentials, endpoint: str, region: str) -> dict[str, str]:
    """Return the variables that direct a job to the embedded AWS, with the credentials of its role."""
    variables = {
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # On a laptop, the address of the instance metadata service could lead anywhere.
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if credentials.session_token:
        variables["AWS_SESSION_TOKEN"] = credentials.session_token
    return variables


@dataclass(frozen=True)
class ContainerJob:
    """A job for one container: its folder, its description, and its account."""

    name: str
    root: Path
    """Represents the container's `/`: inputs lie at their paths below it, and so do outputs."""
    description: Mapping[str, Any]
    """The job, as `DescribeProcessingJob` returns it."""
    endpoint: str
    region: str
    credentials: Credentials = field(repr=False)

    def command(self, image_entry_point: Sequence[str] = ()) -> list[str]:
        """Return the entry point, of the job or else of the image, with its arguments."""
        specification = self.description["AppSpecification"]
        entry_point = specification.get("ContainerEntrypoint") or image_entry_point
        return [*entry_point, *(specification.get("ContainerArguments") or [])]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the job sets."""
        return dict(self.description.get("Environment") or {})

    @property
    def aws_environment(self) -> dict[str, str]:
        """The variables that direct the job to the embedded AWS, with the credentials of its role."""
        return aws_environment(self.credentials, self.endpoint, self.region)

    @property
    def instance_count(self) -> int:
        """The number of instances that the job requests."""
        return int(self.description["ProcessingResources"]["ClusterConfig"]["InstanceCount"])

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the instances; the driver runs on the first."""
        return tuple(f"algo-{number}" for number in range(1, self.instance_count + 1))

    @property
    def instance_type(self) -> str:
        """The instance type that the job requests."""
        return str(self.description["ProcessingResources"]["ClusterConfig"]["InstanceType"])


@dataclass(frozen=True)
class ContainerExit:
    """The result of a container: its exit code, and the content of /opt/ml/output/message."""

    code: int
    message: str | None = None
