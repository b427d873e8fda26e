"""A training job, as the API describes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from helpers.local_aws.api.response import Response, with_values
from helpers.local_aws.jobs.job import Job
from helpers.local_aws.training.container_files import MODEL_ARCHIVE
from helpers.local_aws.training.script_mode import has_algorithm
from helpers.s3 import join
from helpers.xgboost.metric_names import metric_definitions

MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"
_MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
}


@dataclass
class TrainingJob(Job):
    """A training job."""

    transitions: list[tuple[str, datetime]] = field(default_factory=list)
    """Secondary statuses, each with its start time."""
    has_model: bool = False
    """Whether the model artifacts were uploaded."""
    runtime_exceeded: bool = False
    metrics: list[Response] = field(default_factory=list)
    tuning_job_arn: str | None = None
    """ARN of the tuning job that started it."""

    def enter(self, status: str) -> None:
        """Set the secondary status, such as `Downloading`."""
        self.transitions.append((status, datetime.now(UTC)))

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the instances."""
        count = self.request["ResourceConfig"]["InstanceCount"]
        return tuple(f"algo-{number}" for number in range(1, count + 1))

    @property
    def metric_definitions(self) -> Sequence[Mapping[str, str]]:
        """The metric definitions: those of the algorithm, or those of the job."""
        if has_algorithm(self.request):
            return metric_definitions()
        own: Sequence[Mapping[str, str]] = self.request["AlgorithmSpecification"].get("MetricDefinitions")
        return own or []

    @property
    def output_uri(self) -> str:
        """The S3 folder of the job's archives."""
        return join(self.request["OutputDataConfig"]["S3OutputPath"], self.name, "output")

    def description(self) -> Response:
        """Return the response of `DescribeTrainingJob`."""
        request = {key: value for key, value in self.request.items() if key != "Tags"}
        algorithm = {**request["AlgorithmSpecification"], "MetricDefinitions": self.metric_definitions}
        seconds = int((self.ended - self.started).total_seconds()) if self.ended and self.started else None
        return with_values(
            {
                "EnableManagedSpotTraining": False,
                "EnableNetworkIsolation": False,
                "EnableInterContainerTrafficEncryption": False,
                **request,
                **self.summary(),
                "AlgorithmSpecification": {**algorithm, "EnableSageMakerMetricsTimeSeries": False},
                "ModelArtifacts": {
                    "S3ModelArtifacts": join(self.output_uri, MODEL_ARCHIVE) if self.has_model else ""
                },
                "TuningJobArn": self.tuning_job_arn,
                "FailureReason": self.failure_reason,
                "TrainingStartTime": self.started,
                "SecondaryStatusTransitions": self._transitions(),
                "FinalMetricDataList": self.metrics or None,
                "TrainingTimeInSeconds": seconds,
                "BillableTimeInSeconds": seconds,
                "ProfilingStatus": "Disabled",
            }
        )

    def summary(self) -> Response:
        """Return the summary in `ListTrainingJobs`."""
        return with_values(
            {
                "TrainingJobName": self.name,
                "TrainingJobArn": self.arn,
                "TrainingJobStatus": self.status,
                "SecondaryStatus": self._secondary_status(),
                "CreationTime": self.created,
                "LastModifiedTime": self.ended or self.started or self.created,
                "TrainingEndTime": self.ended,
            }
        )

    def _secondary_status(self) -> str:
        if self.status == "InProgress":
            return self.transitions[-1][0] if self.transitions else "Starting"
        return MAX_RUNTIME_EXCEEDED if self.runtime_exceeded and self.ended else self.status

    def _transitions(self) -> list[dict[str, Any]]:
        entered = [("Starting", self.created), *self.transitions]
        if self.ended:
            entered.append((self._secondary_status(), self.ended))
        ends = [moment for _, moment in entered[1:]] + [self.ended]
        return [
            with_values(
                {
                    "Status": status,
                    "StartTime": moment,
                    "EndTime": end,
                    "StatusMessage": _MESSAGES.get(status, self.failure_reason or f"Training job {status}"),
                }
            )
            for (status, moment), end in zip(entered, ends, strict=True)
        ]
