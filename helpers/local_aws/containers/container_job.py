"""What a container is given, and how it ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from helpers.local_aws.credentials import Credentials

FIRST_HOST = "algo-1"


class Output(Protocol):
    """Takes each line that the containers of a job print."""

    def __call__(self, line: str, host: str = FIRST_HOST) -> None:
        """Take a line of the container of an instance."""


def aws_environment(credentials: Credentials, endpoint: str, region: str) -> dict[str, str]:
    """Return the variables by which a job finds the embedded AWS, with its role's credentials for it."""
    variables = {
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # The address of an instance's metadata may lead somewhere on a laptop.
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if credentials.session_token:
        variables["AWS_SESSION_TOKEN"] = credentials.session_token
    return variables


@dataclass(frozen=True)
class ContainerJob:
    """One job for one container: its folder, its description, and the account it acts in."""

    name: str
    root: Path
    """Stands for the container's `/`: inputs lie at their paths below it, and so will outputs."""
    description: Mapping[str, Any]
    """The job as `DescribeProcessingJob` returns it."""
    endpoint: str
    region: str
    credentials: Credentials = field(repr=False)

    def command(self, image_entry_point: Sequence[str] = ()) -> list[str]:
        """Return the container's entry point, the job's or else the image's, with its arguments."""
        specification = self.description["AppSpecification"]
        entry_point = specification.get("ContainerEntrypoint") or image_entry_point
        return [*entry_point, *(specification.get("ContainerArguments") or [])]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the job sets."""
        return dict(self.description.get("Environment") or {})

    @property
    def aws_environment(self) -> dict[str, str]:
        """The variables by which the job finds the embedded AWS, with its role's credentials for it."""
        return aws_environment(self.credentials, self.endpoint, self.region)

    @property
    def instance_count(self) -> int:
        """The instances that the job asks for."""
        return int(self.description["ProcessingResources"]["ClusterConfig"]["InstanceCount"])

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the instances, the first of which runs the driver."""
        return tuple(f"algo-{number}" for number in range(1, self.instance_count + 1))

    @property
    def instance_type(self) -> str:
        """The type of the instances that the job asks for."""
        return str(self.description["ProcessingResources"]["ClusterConfig"]["InstanceType"])


@dataclass(frozen=True)
class ContainerExit:
    """How a container ended: its exit code, and what it left in /opt/ml/output/message."""

    code: int
    message: str | None = None
