"""Processing jobs: created by `CreateProcessingJob`, with their operations."""

from helpers.local_aws.access.creation import Creation, authorize_creation
from helpers.local_aws.api.listing import Listing
from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response, with_values
from helpers.local_aws.api.tags import checked_tags
from helpers.local_aws.containers.container_job import ContainerExit, ContainerJob
from helpers.local_aws.jobs.job import Job
from helpers.local_aws.jobs.jobs import Jobs
from helpers.local_aws.jobs.runner import RunningJob
from helpers.local_aws.jobs.s3_data import FolderUpload, download_prefix, host_path
from helpers.local_aws.processing.images import find_image, image_problem
from helpers.local_aws.processing.request_checks import MEMBERS, not_emulated, request_problems

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"


class ProcessingJob(Job):
    """A processing job, as the API describes it."""

    def description(self) -> Response:
        """Return the response of `DescribeProcessingJob`."""
        request = {key: value for key, value in self.request.items() if key != "Tags"}
        return with_values({**request, **self.summary(), "ProcessingStartTime": self.started})

    def summary(self) -> Response:
        """Return the summary in `ListProcessingJobs`."""
        return with_values(
            {
                "ProcessingJobName": self.name,
                "ProcessingJobArn": self.arn,
                "ProcessingJobStatus": self.status,
                "CreationTime": self.created,
                "LastModifiedTime": self.ended or self.started or self.created,
                "ProcessingEndTime": self.ended,
                "FailureReason": self.failure_reason,
                "ExitMessage": self.exit_message,
            }
        )


class ProcessingJobs(Jobs[ProcessingJob]):
    """The processing jobs of one region."""

    kind = "ProcessingJob"
    arn_kind = "processing-job"
    listing = Listing("ProcessingJobSummaries", "ProcessingJobName", status="ProcessingJobStatus")
    not_found = ("ResourceNotFound", "Could not find requested job with name: {name}")

    def operations(self) -> Operations:
        """Return the operations by name."""
        return {
            **super().operations(),
            "CreateProcessingJob": Operation(self.create, MEMBERS, wants_caller=True),
            "DeleteProcessingJob": Operation(self.delete, members("ProcessingJobName")),
        }

    def create(self, request: Request, caller: str | None = None) -> Response:
        """Check a request as the service does, and start its job."""
        name = str(request["ProcessingJobName"])
        problems = request_problems(request)
        problems += [f"The embedded AWS does not support {what}" for what in not_emulated(request)]
        problems += filter(None, [image_problem(request)])
        if problems:
            raise ApiError("ValidationException", "; ".join(problems))
        authorize_creation(_creation(request, self._region), self._region, caller)
        job = ProcessingJob(name, self._arn(name), request, checked_tags(request))
        self._add(job)
        self._runner.start(job, self._region, LOG_GROUP, lambda running: _run(job, running))
        return {"ProcessingJobArn": job.arn}

    def delete(self, request: Request) -> Response:
        """Delete a job that has finished."""
        job = self.find(request)
        if not job.done.is_set():
            raise ApiError("ResourceInUse", f"The job {job.name} is {job.status}; stop it first")
        self._remove(job)
        return {}


def _creation(request: Request, region: str) -> Creation:
    network = request.get("NetworkConfig") or {}
    vpc = network.get("VpcConfig") or {}
    cluster = request["ProcessingResources"]["ClusterConfig"]
    return Creation(
        action="sagemaker:CreateProcessingJob",
        arn=f"arn:aws:sagemaker:{region}:{ACCOUNT}:processing-job/{request['ProcessingJobName']}",
        role_arn=request["RoleArn"],
        subnets=vpc.get("Subnets") or (),
        security_groups=vpc.get("SecurityGroupIds") or (),
        volume_key=cluster.get("VolumeKmsKeyId"),
        output_key=(request.get("ProcessingOutputConfig") or {}).get("KmsKeyId"),
        isolated=network.get("EnableNetworkIsolation"),
        encrypts_traffic=network.get("EnableInterContainerTrafficEncryption"),
        instance_types=[cluster["InstanceType"]],
        tags=request.get("Tags") or (),
    )


def _run(job: ProcessingJob, running: RunningJob) -> ContainerExit:
    """Download the inputs, run the container, and upload the outputs."""
    image = find_image(job.request)
    if image is None:
        raise TypeError(f"{job.name} has an image that create() rejects")
    container_job = ContainerJob(
        name=job.name,
        root=running.root,
        description=job.description(),
        endpoint=running.endpoint,
        region=running.region,
        credentials=running.credentials,
    )
    image.expect(container_job)
    for entry in job.request.get("ProcessingInputs") or []:
        source = entry["S3Input"]
        download_prefix(running.objects, source["S3Uri"], source["LocalPath"], running.root)
    outputs = _uploads(job.request, running)
    return running.run(lambda: image.run(container_job, running.log, job.interrupt), outputs)


def _uploads(request: Request, running: RunningJob) -> list[FolderUpload]:
    config = request.get("ProcessingOutputConfig") or {}
    return [
        FolderUpload(
            running.s3,
            host_path(running.root, target["LocalPath"]),
            target["S3Uri"],
            kms_key=config.get("KmsKeyId"),
            continuous=target["S3UploadMode"] == "Continuous",
        )
        for target in (entry["S3Output"] for entry in config.get("Outputs") or [])
    ]
