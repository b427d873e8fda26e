"""The jobs of an execution's steps: processing, training and batch transform."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class JobKind:
    """A kind of jobs with its names in the API.

    Attributes:
        noun: the name in messages.
        name: the prefix of API names, such as `ProcessingJobName` and `ProcessingJobArn`.
        times: the prefix of times, such as `ProcessingStartTime`.
        resources: the path to the instances in a description.
    """

    noun: str
    name: str
    times: str
    resources: tuple[str, ...]

    @property
    def log_group(self) -> str:
        """The log group in CloudWatch."""
        return f"/aws/sagemaker/{self.name}s"

    def is_of(self, arn: str) -> bool:
        """Return whether a job's ARN is of this kind, such as `…:processing-job/name`."""
        return f":{self.noun.split()[0]}-job/" in arn

    def describe(self, sagemaker: "SageMakerClient", name: str) -> Mapping[str, Any]:
        """Return the description of a job from the API."""
        operation = getattr(sagemaker, f"describe_{self.noun.split()[0]}_job")
        found: Mapping[str, Any] = operation(**{f"{self.name}Name": name})
        return found


PROCESSING = JobKind(
    "processing job", "ProcessingJob", "Processing", ("ProcessingResources", "ClusterConfig")
)
TRAINING = JobKind("training job", "TrainingJob", "Training", ("ResourceConfig",))
TRANSFORM = JobKind("transform job", "TransformJob", "Transform", ("TransformResources",))
JOB_KINDS = (PROCESSING, TRAINING, TRANSFORM)


@dataclass(frozen=True)
class Job:
    """A job as SageMaker describes it."""

    name: str
    """The name, which is also that of the log; the ARN can have it in lower case."""
    status: str
    created: datetime
    started: datetime | None
    ended: datetime | None
    instance_type: str
    instances: int
    failure_reason: str = ""
    kind: JobKind = PROCESSING
    description: Mapping[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of its container."""
        found: Mapping[str, str] = self.description.get("Environment") or {}
        return found


def describe_job(sagemaker: "SageMakerClient", arn: str) -> Job:
    """Return the job with an ARN.

    Raises:
        ClientError: the job may not be read.
    """
    kind = next(kind for kind in JOB_KINDS if kind.is_of(arn))
    return job_of(kind, kind.describe(sagemaker, arn.rsplit("/", 1)[-1]))


def job_of(kind: JobKind, description: Mapping[str, Any]) -> Job:
    """Return the job of a description."""
    resources = description
    for part in kind.resources:
        resources = resources.get(part, {})
    return Job(
        description[f"{kind.name}Name"],
        description[f"{kind.name}Status"],
        description["CreationTime"],
        description.get(f"{kind.times}StartTime"),
        description.get(f"{kind.times}EndTime"),
        resources.get("InstanceType", ""),
        resources.get("InstanceCount", 0),
        description.get("FailureReason", ""),
        kind,
        description,
    )


def job_arn_of(metadata: Mapping[str, Any]) -> str:
    """Return the ARN of a step's job from the step's metadata; empty if it has no job."""
    return next((metadata[kind.name]["Arn"] for kind in JOB_KINDS if kind.name in metadata), "")


def list_jobs(
    sagemaker: "SageMakerClient", kind: JobKind, execution_id: str, since: datetime
) -> Iterator[str]:
    """Yield the ARNs of an execution's jobs in the order of their creation.

    Raises:
        ClientError: the jobs may not be read.
    """
    pages = sagemaker.get_paginator(f"list_{kind.noun.replace(' ', '_')}s").paginate(  # type: ignore[call-overload]
        NameContains=f"-{execution_id}-",
        CreationTimeAfter=since,
        SortBy="CreationTime",
        SortOrder="Ascending",
    )
    for page in pages:
        yield from (entry[f"{kind.name}Arn"] for entry in page[f"{kind.name}Summaries"])
