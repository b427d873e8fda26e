"""A transform job, as the API describes it."""

from dataclasses import dataclass

from helpers.local_aws.api.response import Response, with_values
from helpers.local_aws.jobs.job import Job
from helpers.local_aws.models.container import ModelContainer


@dataclass
class TransformJob(Job):
    """A transform job, with its model as of its start."""

    container: ModelContainer | None = None
    model_role_arn: str = ""

    @property
    def role_arn(self) -> str:
        """ARN of the model's role, which a transform job uses."""
        return self.model_role_arn

    def description(self) -> Response:
        """Return the response of `DescribeTransformJob`."""
        request = {key: value for key, value in self.request.items() if key != "Tags"}
        description = {**request, **self.summary(), "TransformStartTime": self.started}
        del description["LastModifiedTime"]
        return with_values(description)

    def summary(self) -> Response:
        """Return the summary in `ListTransformJobs`."""
        return with_values(
            {
                "TransformJobName": self.name,
                "TransformJobArn": self.arn,
                "TransformJobStatus": self.status,
                "CreationTime": self.created,
                "LastModifiedTime": self.ended or self.started or self.created,
                "TransformEndTime": self.ended,
                "FailureReason": self.failure_reason,
            }
        )
