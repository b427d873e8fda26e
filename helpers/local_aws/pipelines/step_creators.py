"""Sends the requests of steps to the operations of a region, with the permissions of the pipeline's role."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.local_aws.api.response import ApiError, Request
from helpers.local_aws.endpoints.configurations import EndpointConfig, EndpointConfigs
from helpers.local_aws.endpoints.endpoint import Endpoint
from helpers.local_aws.endpoints.endpoints import Endpoints
from helpers.local_aws.jobs.job import Job
from helpers.local_aws.jobs.jobs import Jobs
from helpers.local_aws.models.models import Model, Models
from helpers.local_aws.pipelines.execution import StepResource
from helpers.local_aws.processing.processing_jobs import ProcessingJobs
from helpers.local_aws.registry.groups import ModelPackageGroups
from helpers.local_aws.registry.model_package import ModelPackage
from helpers.local_aws.registry.packages import ModelPackages
from helpers.local_aws.training.training_jobs import TrainingJobs
from helpers.local_aws.transform.transform_jobs import TransformJobs
from helpers.local_aws.tuning.tuning_jobs import TuningJobs


@dataclass(frozen=True)
class Requester:
    """The sender of a step's request.

    Attributes:
        role_arn: ARN of the pipeline's role.
        execution_arn: ARN of the execution.
    """

    role_arn: str
    execution_arn: str


Create = Callable[[Request, Requester], StepResource]
"""Handles a request; raises ApiError."""


@dataclass(frozen=True)
class RegionResources:
    """The kinds of resources that steps create."""

    processing_jobs: ProcessingJobs
    training_jobs: TrainingJobs
    tuning_jobs: TuningJobs
    transform_jobs: TransformJobs
    models: Models
    endpoint_configs: EndpointConfigs
    endpoints: Endpoints
    groups: ModelPackageGroups
    packages: ModelPackages

    def creators(self) -> Mapping[str, Create]:
        """Return the function that handles the request, by step type."""
        return {
            "Endpoint": self._create_endpoint,
            "EndpointConfig": self._create_endpoint_config,
            "Model": self._create_model,
            "Processing": _creator(self.processing_jobs),
            "RegisterModel": self._register_model,
            "Training": _creator(self.training_jobs),
            "Transform": _creator(self.transform_jobs),
            "Tuning": _creator(self.tuning_jobs),
        }

    def _create_model(self, request: Request, requester: Requester) -> Model:
        self.models.create(request, caller=requester.role_arn)
        return self.models.find(request["ModelName"])

    def _create_endpoint_config(self, request: Request, requester: Requester) -> EndpointConfig:
        self.endpoint_configs.create(request, caller=requester.role_arn)
        return self.endpoint_configs.find(request["EndpointConfigName"])

    def _create_endpoint(self, request: Request, requester: Requester) -> Endpoint:
        """Create an endpoint and wait until it is in service."""
        self.endpoints.create(request, caller=requester.role_arn)
        endpoint = self.endpoints.find(request["EndpointName"])
        endpoint.settled.wait()
        if endpoint.status == "Failed":
            raise ApiError("ValidationException", str(endpoint.failure_reason))
        return endpoint

    def _register_model(self, request: Request, requester: Requester) -> ModelPackage:
        """Register a model version with the ARN of its execution; create the group if it does not exist."""
        group = request.get("ModelPackageGroupName")
        if group and not group.startswith("arn:"):
            try:
                self.groups.find(request)
            except ApiError:
                self.groups.create({"ModelPackageGroupName": group}, caller=requester.role_arn)
        generated = {
            "GeneratedBy": requester.execution_arn,
            **(request.get("MetadataProperties") or {}),
        }
        created = self.packages.create(
            {**request, "MetadataProperties": generated}, caller=requester.role_arn
        )
        return self.packages.find(created["ModelPackageArn"])


def _creator(jobs: Jobs[Any]) -> Create:
    def create(request: Request, requester: Requester) -> Job:
        jobs.create(request, caller=requester.role_arn)
        found: Job = jobs.find(request)
        return found

    return create
