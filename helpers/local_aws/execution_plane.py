"""The SageMaker API of one region: every operation that the embedded AWS implements."""

from collections.abc import Mapping

from helpers.local_aws.api.operations import Operation, Operations
from helpers.local_aws.api.search import Search
from helpers.local_aws.api.tags import TagOperations
from helpers.local_aws.jobs.runner import JobRunner
from helpers.local_aws.pipelines.executions import ExecutionsState, PipelineExecutions
from helpers.local_aws.pipelines.pipelines import Pipeline, Pipelines
from helpers.local_aws.processing.processing_jobs import ProcessingJob, ProcessingJobs
from helpers.local_aws.service_clients import ServiceClients
from helpers.local_aws.studio import studio_of

_CLOSE_SECONDS = 10

RegionState = tuple[Mapping[str, ProcessingJob], Mapping[str, Pipeline], ExecutionsState]
"""The processing jobs, pipelines and executions of a region; they refer to each other."""


class ExecutionPlane:
    """Runs pipelines and jobs. What is not among its operations is rejected by name."""

    def __init__(self, clients: ServiceClients, runner: JobRunner, region: str):
        self._jobs = ProcessingJobs(runner, region)
        self._pipelines = Pipelines(clients, region)
        self._executions = PipelineExecutions(clients, region, self._pipelines, self._jobs, runner.on_change)
        studio = studio_of(region)
        search = Search(
            {
                "Pipeline": self._pipelines.search_records,
                "PipelineExecution": self._executions.search_records,
            }
        )
        tags = TagOperations(
            self._jobs.find_tags, self._pipelines.find_tags, self._executions.find_tags, studio.find_tags
        )
        self.operations: Operations = {
            **self._jobs.operations(),
            **self._pipelines.operations(),
            **self._executions.operations(),
            **search.operations(),
            **tags.operations(),
            **{name: Operation(handler) for name, handler in studio.operations().items()},
        }

    def state(self) -> RegionState:
        """Return all there is, to be restored by another server."""
        return self._jobs.state(), self._pipelines.state(), self._executions.state()

    def restore(self, state: RegionState) -> None:
        """Have what a server had that has ended."""
        jobs, pipelines, executions = state
        self._jobs.restore(jobs)
        self._pipelines.restore(pipelines)
        self._executions.restore(executions)

    def close(self) -> None:
        """Stop what runs."""
        self._executions.close()
        self._jobs.close(_CLOSE_SECONDS)
