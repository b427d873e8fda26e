"""Tuning jobs: created by `CreateHyperParameterTuningJob`, with their operations."""

import logging
import threading
import uuid
from dataclasses import replace
from datetime import UTC, datetime

from helpers.local_aws.access.creation import authorize_creation
from helpers.local_aws.api.listing import Listing
from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response, descending, page
from helpers.local_aws.api.tags import checked_tags
from helpers.local_aws.jobs.job import JOB_INTERNAL_ERROR
from helpers.local_aws.jobs.jobs import Jobs
from helpers.local_aws.jobs.runner import JobRunner
from helpers.local_aws.training.training_jobs import TrainingJobs, creation_of, image_problems
from helpers.local_aws.tuning.request_checks import (
    MEMBERS,
    not_emulated,
    request_problems,
    training_request,
)
from helpers.local_aws.tuning.search import Assignment, assignments, combinations, ranges_of
from helpers.local_aws.tuning.tuning_job import TunedTrainingJob, TuningJob

_POLL_SECONDS = 0.05
_FAILURES = 5
"""The number of failed training jobs before a success, after which SageMaker stops."""
_OF_TRAINING = Listing(
    "TrainingJobSummaries", "TrainingJobName", default_order="Descending", status="TrainingJobStatus"
)

_log = logging.getLogger(__name__)


class TuningJobs(Jobs[TuningJob]):
    """The tuning jobs of one region. They use no slot of the runner; their training jobs do."""

    kind = "HyperParameterTuningJob"
    arn_kind = "hyper-parameter-tuning-job"
    listing = Listing(
        "HyperParameterTuningJobSummaries",
        "HyperParameterTuningJobName",
        status="HyperParameterTuningJobStatus",
    )
    not_found = ("ResourceNotFound", "Requested resource {name} could not be found.")

    def __init__(self, runner: JobRunner, region: str, training_jobs: TrainingJobs):
        super().__init__(runner, region)
        self._training_jobs = training_jobs

    def operations(self) -> Operations:
        """Return the operations by name."""
        listed = members(
            "HyperParameterTuningJobName", "MaxResults", "NextToken", "SortBy", "SortOrder", "StatusEquals"
        )
        return {
            **super().operations(),
            "CreateHyperParameterTuningJob": Operation(self.create, MEMBERS, wants_caller=True),
            "ListTrainingJobsForHyperParameterTuningJob": Operation(self.list_training_jobs, listed),
        }

    def create(self, request: Request, caller: str | None = None) -> Response:
        """Check a request as the service does, and start its job."""
        name = str(request["HyperParameterTuningJobName"])
        problems = list(request_problems(request))
        problems += [f"The embedded AWS does not support {what}" for what in not_emulated(request)]
        first = training_request(request, name, {})
        problems += image_problems(first)
        if problems:
            raise ApiError("ValidationException", "; ".join(problems))
        # SageMaker creates the training jobs: their creation is authorized for the caller of this request.
        creation = replace(
            creation_of(first, self._region),
            action="sagemaker:CreateHyperParameterTuningJob",
            arn=f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:{self.arn_kind}/{name}",
        )
        authorize_creation(creation, self._region, caller)
        job = TuningJob(name, self._arn(name), request, checked_tags(request))
        self._add(job)
        threading.Thread(target=self._run, args=(job,), name=name, daemon=True).start()
        return {"HyperParameterTuningJobArn": job.arn}

    def list_training_jobs(self, request: Request) -> Response:
        """Return a page of the training jobs of a tuning job."""
        job = self.find(request)
        if request.get("SortBy") != "FinalObjectiveMetricValue":
            return _OF_TRAINING.page(map(job.summarize, job.training_jobs), request)
        found = [each for each in job.ranked() if request.get("StatusEquals") in {None, each.job.status}]
        ordered = found[::-1] if descending(request) == job.minimizes else found
        return page([job.summarize(each) for each in ordered], request, _OF_TRAINING.member)

    def _run(self, job: TuningJob) -> None:
        job.started = datetime.now(UTC)
        self._runner.on_change()
        try:
            self._search(job)
            if any(each.objective(job.metric) is not None for each in job.training_jobs):
                job.end("Completed")
            else:
                count = len(job.training_jobs)
                job.end(
                    "Failed",
                    f"No training job succeeded after {count} attempts. For additional details, please take "
                    "a look at the training job failures by listing training jobs for the hyperparameter "
                    "tuning job.",
                )
        except Exception as error:  # a job must always end
            _log.exception("tuning job %s failed", job.name)
            job.end("Failed", f"InternalServerError: {error!r}", JOB_INTERNAL_ERROR)
        finally:
            self._runner.on_change()

    def _search(self, job: TuningJob) -> None:
        """Keep the maximum number of training jobs running until there are enough."""
        config = job.request["HyperParameterTuningJobConfig"]
        limits = config["ResourceLimits"]
        most = limits.get("MaxNumberOfTrainingJobs") or combinations(ranges_of(config))
        points = assignments(config)
        while True:
            running = [each.job for each in job.training_jobs if not each.job.done.is_set()]
            if job.interrupt.is_set():
                for each in running:
                    each.stop()
            elif (
                len(running) < limits["MaxParallelTrainingJobs"]
                and len(job.training_jobs) < most
                and not _is_enough(job)
            ):
                job.training_jobs.append(self._start(job, next(points)))
                continue
            if not running:
                return
            running[0].done.wait(_POLL_SECONDS)

    def _start(self, job: TuningJob, tuned: Assignment) -> TunedTrainingJob:
        name = f"{job.name}-{len(job.training_jobs) + 1:03}-{uuid.uuid4().hex[:8]}"
        started = self._training_jobs.launch(training_request(job.request, name, tuned), job.arn)
        return TunedTrainingJob(started, tuned)


def _is_enough(job: TuningJob) -> bool:
    """Return whether the target is reached, or too many training jobs have failed."""
    values = [each.objective(job.metric) for each in job.training_jobs]
    criteria = job.request["HyperParameterTuningJobConfig"].get("TuningJobCompletionCriteria") or {}
    target = criteria.get("TargetObjectiveMetricValue")
    if target is not None and any(value is not None and job.reaches(value, target) for value in values):
        return True
    failures = sum(each.job.status == "Failed" for each in job.training_jobs)
    return failures >= _FAILURES and all(value is None for value in values)
