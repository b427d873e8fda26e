"""Transform jobs: created by `CreateTransformJob`, with their operations."""

from helpers.local_aws.access.creation import Creation, authorize_creation
from helpers.local_aws.api.listing import Listing
from helpers.local_aws.api.operations import Operation, Operations
from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response
from helpers.local_aws.api.tags import checked_tags
from helpers.local_aws.containers.container_job import ContainerExit
from helpers.local_aws.jobs.jobs import Jobs
from helpers.local_aws.jobs.runner import JobRunner, RunningJob
from helpers.local_aws.jobs.s3_data import FolderUpload, download_prefix, host_path
from helpers.local_aws.models.artifacts import unpack_artifacts
from helpers.local_aws.models.container import container_problems
from helpers.local_aws.models.model_server import ModelServer, ServerError
from helpers.local_aws.models.models import Model, Models
from helpers.local_aws.transform.request_checks import MEMBERS, not_emulated, request_problems
from helpers.local_aws.transform.transform_job import TransformJob
from helpers.local_aws.transform.transformation import Transformation

LOG_GROUP = "/aws/sagemaker/TransformJobs"
_INPUT = "/transform/input"


class TransformJobs(Jobs[TransformJob]):
    """The transform jobs of one region."""

    kind = "TransformJob"
    arn_kind = "transform-job"
    listing = Listing(
        "TransformJobSummaries",
        "TransformJobName",
        default_order="Descending",
        status="TransformJobStatus",
    )
    not_found = ("ValidationException", "Could not find requested job with name: {name}")

    def __init__(self, runner: JobRunner, region: str, models: Models):
        super().__init__(runner, region)
        self._models = models

    def operations(self) -> Operations:
        """Return the operations by name."""
        return {
            **super().operations(),
            "CreateTransformJob": Operation(self.create, MEMBERS, wants_caller=True),
        }

    def create(self, request: Request, caller: str | None = None) -> Response:
        """Check a request as the service does, and start its job."""
        name = str(request["TransformJobName"])
        problems = request_problems(request)
        problems += [f"The embedded AWS does not support {what}" for what in not_emulated(request)]
        if problems:
            raise ApiError("ValidationException", "; ".join(problems))
        model = self._models.find(request["ModelName"])
        if problems := list(container_problems(model.container, request.get("Environment") or {})):
            raise ApiError("ValidationException", "; ".join(problems))
        authorize_creation(_creation(request, model, self._region), self._region, caller)
        job = TransformJob(
            name,
            self._arn(name),
            request,
            checked_tags(request),
            container=model.container,
            model_role_arn=model.request["ExecutionRoleArn"],
        )
        self._add(job)
        self._runner.start(job, self._region, LOG_GROUP, lambda running: _run(job, running))
        return {"TransformJobArn": job.arn}


def _creation(request: Request, model: Model, region: str) -> Creation:
    vpc, resources = model.request.get("VpcConfig") or {}, request["TransformResources"]
    return Creation(
        action="sagemaker:CreateTransformJob",
        arn=f"arn:aws:sagemaker:{region}:{ACCOUNT}:transform-job/{request['TransformJobName']}",
        role_arn=model.request["ExecutionRoleArn"],
        passes_role=False,
        subnets=vpc.get("Subnets") or (),
        security_groups=vpc.get("SecurityGroupIds") or (),
        volume_key=resources.get("VolumeKmsKeyId"),
        output_key=request["TransformOutput"].get("KmsKeyId"),
        instance_types=[resources["InstanceType"]],
        tags=request.get("Tags") or (),
        condition_keys={"sagemaker:ModelArn": model.arn},
    )


def _run(job: TransformJob, running: RunningJob) -> ContainerExit:
    """Download the model and the input, transform, and upload the output of the successful files."""
    if job.container is None:
        raise TypeError(f"{job.name} has no container")
    unpack_artifacts(running.objects, job.container.model_data_url, running.root)
    source = job.request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    download_prefix(running.objects, source, _INPUT, running.root)
    targets = running.root / "transform/output"
    variables = {
        **job.container.environment,
        **(job.request.get("Environment") or {}),
        "SAGEMAKER_BATCH": "true",
    }
    failures: list[str] = []

    def transform() -> ContainerExit:
        try:
            with ModelServer(running.root, variables, running.log) as server:
                server.ping()
                transformation = Transformation(job.request, server, job.interrupt)
                failures.extend(
                    transformation.transform(host_path(running.root, _INPUT), targets, running.log)
                )
        except ServerError as error:
            failures.append(str(error))
        return ContainerExit(1, f"AlgorithmError: {'; '.join(failures)}") if failures else ContainerExit(0)

    exit_ = running.run(transform, [])
    if not job.interrupt.is_set():
        output = job.request["TransformOutput"]
        key = output.get("KmsKeyId")
        FolderUpload(running.s3, targets, output["S3OutputPath"], kms_key=key, continuous=False).upload()
    return exit_
