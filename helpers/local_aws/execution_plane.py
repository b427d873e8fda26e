"""The SageMaker API of one region: all operations that the embedded AWS implements."""

from collections.abc import Mapping
from dataclasses import dataclass

from helpers.local_aws.api.operations import Operation, Operations
from helpers.local_aws.api.search import Search
from helpers.local_aws.api.tags import TagOperations
from helpers.local_aws.endpoints.configurations import EndpointConfig, EndpointConfigs
from helpers.local_aws.endpoints.endpoint import Endpoint
from helpers.local_aws.endpoints.endpoints import Endpoints
from helpers.local_aws.events.delivery import EventDelivery
from helpers.local_aws.events.package_event import package_event
from helpers.local_aws.events.scheduler import Scheduler
from helpers.local_aws.events.step_event import step_event
from helpers.local_aws.jobs.runner import JobRunner
from helpers.local_aws.models.models import Model, Models
from helpers.local_aws.pipelines.executions import ExecutionsState, PipelineExecutions
from helpers.local_aws.pipelines.pipelines import Pipeline, Pipelines
from helpers.local_aws.pipelines.step_creators import RegionResources
from helpers.local_aws.processing.processing_jobs import ProcessingJob, ProcessingJobs
from helpers.local_aws.registry.groups import MODEL_PACKAGE_GROUPS
from helpers.local_aws.registry.packages import ModelPackages
from helpers.local_aws.service_clients import ServiceClients
from helpers.local_aws.studio import STUDIOS
from helpers.local_aws.training.training_job import TrainingJob
from helpers.local_aws.training.training_jobs import TrainingJobs
from helpers.local_aws.transform.transform_job import TransformJob
from helpers.local_aws.transform.transform_jobs import TransformJobs
from helpers.local_aws.tuning.tuning_job import TuningJob
from helpers.local_aws.tuning.tuning_jobs import TuningJobs

_CLOSE_SECONDS = 10


@dataclass(frozen=True)
class RegionState:
    """The state of a region; jobs, pipelines and executions refer to each other."""

    processing_jobs: Mapping[str, ProcessingJob]
    training_jobs: Mapping[str, TrainingJob]
    tuning_jobs: Mapping[str, TuningJob]
    transform_jobs: Mapping[str, TransformJob]
    models: Mapping[str, Model]
    endpoint_configs: Mapping[str, EndpointConfig]
    endpoints: Mapping[str, Endpoint]
    pipelines: Mapping[str, Pipeline]
    executions: ExecutionsState


class ExecutionPlane:
    """Runs pipelines and jobs. An operation that is not implemented is rejected by name."""

    def __init__(self, clients: ServiceClients, runner: JobRunner, region: str):
        self._processing_jobs = ProcessingJobs(runner, region)
        self._training_jobs = TrainingJobs(runner, region)
        self._tuning_jobs = TuningJobs(runner, region, self._training_jobs)
        groups = MODEL_PACKAGE_GROUPS.of(region)
        packages = ModelPackages(
            clients, groups, lambda package: self._events.publish(package_event(package, region))
        )
        self._models = Models(clients, region, packages)
        self._transform_jobs = TransformJobs(runner, region, self._models)
        self._endpoint_configs = EndpointConfigs(region, self._models)
        self.endpoints = Endpoints(clients, runner, region, self._endpoint_configs, self._models)
        self._pipelines = Pipelines(clients, region)
        resources = RegionResources(
            self._processing_jobs,
            self._training_jobs,
            self._tuning_jobs,
            self._transform_jobs,
            self._models,
            self._endpoint_configs,
            self.endpoints,
            groups,
            packages,
        )
        self._executions = PipelineExecutions(
            clients,
            region,
            self._pipelines,
            resources.creators(),
            runner.on_change,
            lambda run, pipeline, execution: self._events.publish(
                step_event(run, pipeline, execution, region)
            ),
        )
        self._events = EventDelivery(region, self._executions.start)
        self._scheduler = Scheduler(region, self._events, self._executions.start)
        self._scheduler.start()
        studio = STUDIOS.of(region)
        search = Search(
            {
                "Pipeline": self._pipelines.search_records,
                "PipelineExecution": self._executions.search_records,
            }
        )
        tags = TagOperations(
            self._processing_jobs.find_tags,
            self._training_jobs.find_tags,
            self._tuning_jobs.find_tags,
            self._transform_jobs.find_tags,
            self._models.find_tags,
            self._endpoint_configs.find_tags,
            self.endpoints.find_tags,
            groups.find_tags,
            self._pipelines.find_tags,
            self._executions.find_tags,
            studio.find_tags,
        )
        self.operations: Operations = {
            **self._processing_jobs.operations(),
            **self._training_jobs.operations(),
            **self._tuning_jobs.operations(),
            **self._transform_jobs.operations(),
            **groups.operations(),
            **packages.operations(),
            **self._models.operations(),
            **self._endpoint_configs.operations(),
            **self.endpoints.operations(),
            **self._pipelines.operations(),
            **self._executions.operations(),
            **search.operations(),
            **tags.operations(),
            **{name: Operation(handler) for name, handler in studio.operations().items()},
        }

    def state(self) -> RegionState:
        """Return the complete state, for another server to restore."""
        return RegionState(
            self._processing_jobs.state(),
            self._training_jobs.state(),
            self._tuning_jobs.state(),
            self._transform_jobs.state(),
            self._models.state(),
            self._endpoint_configs.state(),
            self.endpoints.state(),
            self._pipelines.state(),
            self._executions.state(),
        )

    def restore(self, state: RegionState) -> None:
        """Restore the state of a stopped server."""
        self._processing_jobs.restore(state.processing_jobs)
        self._training_jobs.restore(state.training_jobs)
        self._tuning_jobs.restore(state.tuning_jobs)
        self._transform_jobs.restore(state.transform_jobs)
        self._models.restore(state.models)
        self._endpoint_configs.restore(state.endpoint_configs)
        self.endpoints.restore(state.endpoints)
        self._pipelines.restore(state.pipelines)
        self._executions.restore(state.executions)

    def close(self) -> None:
        """Stop all executions and jobs."""
        self._scheduler.close()
        self._executions.close()
        self._processing_jobs.close(_CLOSE_SECONDS)
        self._tuning_jobs.close(_CLOSE_SECONDS)
        self._training_jobs.close(_CLOSE_SECONDS)
        self._transform_jobs.close(_CLOSE_SECONDS)
        self.endpoints.close()
