"""A tuning job, as the API describes it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from helpers.local_aws.api.response import Response, with_values
from helpers.local_aws.jobs.job import Job
from helpers.local_aws.training.training_job import TrainingJob
from helpers.local_aws.tuning.search import Assignment


@dataclass
class TunedTrainingJob:
    """A training job of a tuning job, with its hyperparameters."""

    job: TrainingJob
    tuned: Assignment

    def objective(self, metric: str) -> float | None:
        """Return the last value of the objective metric of a completed job."""
        values = [each["Value"] for each in self.job.metrics if each["MetricName"] == metric]
        return values[0] if values and self.job.status == "Completed" else None


@dataclass
class TuningJob(Job):
    """A tuning job and its training jobs, in the order of their creation."""

    training_jobs: list[TunedTrainingJob] = field(default_factory=list)

    @property
    def config(self) -> Mapping[str, object]:
        """The HyperParameterTuningJobConfig of the request."""
        found: Mapping[str, object] = self.request["HyperParameterTuningJobConfig"]
        return found

    @property
    def metric(self) -> str:
        """The name of the objective metric."""
        return str(self._objective["MetricName"])

    @property
    def _objective(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.request["HyperParameterTuningJobConfig"][
            "HyperParameterTuningJobObjective"
        ]
        return found

    @property
    def minimizes(self) -> bool:
        """Whether the smallest value of the objective metric is the best."""
        return self._objective["Type"] == "Minimize"

    def reaches(self, value: float, target: float) -> bool:
        """Return whether a value of the objective metric is at least as good as a target."""
        return value <= target if self.minimizes else value >= target

    def ranked(self) -> list[TunedTrainingJob]:
        """Return the training jobs, best first, and those without a value of the metric last."""
        sign = 1 if self.minimizes else -1
        values = [each.objective(self.metric) for each in self.training_jobs]
        keys = [(value is None, sign * (value or 0)) for value in values]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        return [self.training_jobs[index] for index in order]

    def description(self) -> Response:
        """Return the response of `DescribeHyperParameterTuningJob`."""
        request = {key: value for key, value in self.request.items() if key != "Tags"}
        summary = {key: value for key, value in self.summary().items() if key != "Strategy"}
        best = next((each for each in self.ranked() if each.objective(self.metric) is not None), None)
        return with_values(
            {
                **request,
                **summary,
                "BestTrainingJob": self.summarize(best) if best else None,
                "FailureReason": self.failure_reason,
            }
        )

    def properties(self) -> Response:
        """Return the properties that pipeline steps can refer to, including the training jobs, best first."""
        summaries = [self.summarize(each) for each in self.ranked()]
        return {**self.description(), "TrainingJobSummaries": summaries}

    def summary(self) -> Response:
        """Return the summary in `ListHyperParameterTuningJobs`."""
        statuses = Counter(each.job.status for each in self.training_jobs)
        objectives = Counter(self._objective_status(each) for each in self.training_jobs)
        return with_values(
            {
                "HyperParameterTuningJobName": self.name,
                "HyperParameterTuningJobArn": self.arn,
                "HyperParameterTuningJobStatus": self.status,
                "Strategy": self.config["Strategy"],
                "ResourceLimits": self.config["ResourceLimits"],
                "CreationTime": self.created,
                "LastModifiedTime": self.ended or self.started or self.created,
                "HyperParameterTuningEndTime": self.ended,
                "TrainingJobStatusCounters": {
                    "Completed": statuses["Completed"],
                    "InProgress": statuses["InProgress"] + statuses["Stopping"],
                    "RetryableError": 0,
                    "NonRetryableError": statuses["Failed"],
                    "Stopped": statuses["Stopped"],
                },
                "ObjectiveStatusCounters": {
                    name: objectives[name] for name in ("Succeeded", "Pending", "Failed")
                },
            }
        )

    def summarize(self, each: TunedTrainingJob) -> Response:
        """Return the entry in `ListTrainingJobsForHyperParameterTuningJob`."""
        value = each.objective(self.metric)
        job = each.job
        return with_values(
            {
                "TrainingJobName": job.name,
                "TrainingJobArn": job.arn,
                "TuningJobName": self.name,
                "TrainingJobStatus": job.status,
                "TunedHyperParameters": each.tuned,
                "CreationTime": job.created,
                "TrainingStartTime": job.started,
                "TrainingEndTime": job.ended,
                "FailureReason": job.failure_reason,
                "FinalHyperParameterTuningJobObjectiveMetric": None
                if value is None
                else {"MetricName": self.metric, "Type": self._objective["Type"], "Value": value},
                "ObjectiveStatus": self._objective_status(each),
            }
        )

    def _objective_status(self, each: TunedTrainingJob) -> str:
        if not each.job.ended:
            return "Pending"
        return "Failed" if each.objective(self.metric) is None else "Succeeded"
