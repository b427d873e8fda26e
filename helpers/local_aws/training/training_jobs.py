"""Training jobs: created by `CreateTrainingJob`, with their operations."""

from helpers.local_aws.access.creation import Creation, authorize_creation
from helpers.local_aws.api.listing import Listing
from helpers.local_aws.api.operations import Operation, Operations
from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response
from helpers.local_aws.api.tags import checked_tags
from helpers.local_aws.containers.container_job import FIRST_HOST, ContainerExit
from helpers.local_aws.jobs.jobs import Jobs
from helpers.local_aws.jobs.runner import RunningJob, TimeExceededError
from helpers.local_aws.jobs.s3_data import FolderUpload
from helpers.local_aws.training import script_mode
from helpers.local_aws.training.container_files import (
    MODEL_ARCHIVE,
    download_channels,
    pack_artifacts,
    write_configuration,
)
from helpers.local_aws.training.metrics import MetricReader
from helpers.local_aws.training.request_checks import MEMBERS, not_emulated, request_problems
from helpers.local_aws.training.script_mode import is_script_mode
from helpers.local_aws.training.training_job import TrainingJob
from helpers.local_aws.xgboost_container import container as xgboost_container

LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingJobs(Jobs[TrainingJob]):
    """The training jobs of one region."""

    kind = "TrainingJob"
    arn_kind = "training-job"
    listing = Listing("TrainingJobSummaries", "TrainingJobName", status="TrainingJobStatus")
    not_found = ("ValidationException", "Requested resource not found.")

    def operations(self) -> Operations:
        """Return the operations by name."""
        return {
            **super().operations(),
            "CreateTrainingJob": Operation(self.create, MEMBERS, wants_caller=True),
        }

    def create(self, request: Request, caller: str | None = None) -> Response:
        """Check a request as the service does, and start its job."""
        problems = request_problems(request)
        problems += [f"The embedded AWS does not support {what}" for what in not_emulated(request)]
        problems += image_problems(request)
        if problems:
            raise ApiError("ValidationException", "; ".join(problems))
        authorize_creation(creation_of(request, self._region), self._region, caller)
        return {"TrainingJobArn": self.launch(request).arn}

    def launch(self, request: Request, tuning_job_arn: str | None = None) -> TrainingJob:
        """Start a validated job, standalone or for a tuning job."""
        name = str(request["TrainingJobName"])
        job = TrainingJob(
            name, self._arn(name), request, checked_tags(request), tuning_job_arn=tuning_job_arn
        )
        self._add(job)
        self._runner.start(job, self._region, LOG_GROUP, lambda running: _run(job, running))
        return job


def image_problems(request: Request) -> list[str]:
    """Return why the image of a request is not supported, if so."""
    image = (request.get("AlgorithmSpecification") or {}).get("TrainingImage")
    problem_of = script_mode.image_problem if is_script_mode(request) else xgboost_container.image_problem
    return list(filter(None, [problem_of(image)])) if image else []


def creation_of(request: Request, region: str) -> Creation:
    """Return the resource that a request creates, for authorization."""
    vpc, resources = request.get("VpcConfig") or {}, request["ResourceConfig"]
    return Creation(
        action="sagemaker:CreateTrainingJob",
        arn=f"arn:aws:sagemaker:{region}:{ACCOUNT}:training-job/{request['TrainingJobName']}",
        role_arn=request["RoleArn"],
        subnets=vpc.get("Subnets") or (),
        security_groups=vpc.get("SecurityGroupIds") or (),
        volume_key=resources.get("VolumeKmsKeyId"),
        output_key=request["OutputDataConfig"].get("KmsKeyId"),
        isolated=request.get("EnableNetworkIsolation"),
        encrypts_traffic=request.get("EnableInterContainerTrafficEncryption"),
        instance_types=[resources["InstanceType"]],
        tags=request.get("Tags") or (),
    )


def _run(job: TrainingJob, running: RunningJob) -> ContainerExit:
    """Download the channels, train, and upload the archives, even if the job was stopped."""
    job.enter("Downloading")
    roots = {host: running.root / host for host in job.hosts}
    for host, root in roots.items():
        download_channels(running.objects, root, job.request, host, job.hosts)
        write_configuration(root, job.request, host, job.hosts)
    job.enter("Training")
    metrics = MetricReader(job.metric_definitions)

    def log(line: str, host: str = FIRST_HOST) -> None:
        running.log(line, host)
        metrics.read(line)

    variables = {
        **(job.request.get("Environment") or {}),
        "TRAINING_JOB_NAME": job.name,
        "TRAINING_JOB_ARN": job.arn,
    }

    def train() -> ContainerExit:
        if not is_script_mode(job.request):
            return xgboost_container.train(roots, running.root, variables, log, job.interrupt)
        own = {} if job.request.get("EnableNetworkIsolation") else running.aws_environment()
        return script_mode.run(roots[FIRST_HOST], job.request, {**own, **variables}, log, job.interrupt)

    try:
        exit_ = running.run(train, outputs=[])
    except TimeExceededError:
        job.runtime_exceeded, exit_ = True, ContainerExit(0)
        job.status = "Stopping"
    job.metrics = metrics.final()
    if exit_.code == 0 or job.status == "Stopping":
        job.enter("Uploading")
        archives = running.root / "artifacts"
        pack_artifacts(list(roots.values()), archives)
        key = job.request["OutputDataConfig"].get("KmsKeyId")
        FolderUpload(running.s3, archives, job.output_uri, kms_key=key, continuous=False).upload()
        job.has_model = (archives / MODEL_ARCHIVE).exists()
    return exit_
