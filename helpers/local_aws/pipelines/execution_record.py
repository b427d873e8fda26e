"""An execution and its steps, as the API describes them."""

from dataclasses import dataclass, field
from typing import Any

from helpers.local_aws.api.response import Response, with_values
from helpers.local_aws.api.tags import Tags
from helpers.local_aws.pipelines.execution import PipelineExecution, StepRun
from helpers.local_aws.pipelines.pipelines import Pipeline, PipelineVersion


@dataclass
class ExecutionRecord:
    """An execution, with the values that the API returns in addition to its run."""

    pipeline: Pipeline
    version: PipelineVersion
    role_arn: str
    settings: dict[str, Any]
    """Display name, description, ParallelismConfiguration and SelectiveExecutionConfig, if given."""
    execution: PipelineExecution
    tags: Tags = field(default_factory=list)

    def description(self) -> Response:
        """Return the response of `DescribePipelineExecution`."""
        execution = self.execution
        return with_values(
            {
                **self.settings,
                "PipelineArn": self.pipeline.arn,
                "PipelineExecutionArn": execution.arn,
                "PipelineExecutionStatus": execution.status,
                "PipelineExperimentConfig": execution.definition.experiment,
                "PipelineVersionId": self.version.number,
                "FailureReason": execution.failure_reason,
                "CreationTime": execution.created,
                "LastModifiedTime": execution.modified,
                "RoleArn": self.role_arn,
            }
        )

    def summary(self) -> Response:
        """Return the summary in `ListPipelineExecutions`."""
        return with_values(
            {
                "PipelineExecutionArn": self.execution.arn,
                "StartTime": self.execution.created,
                "PipelineExecutionStatus": self.execution.status,
                "PipelineExecutionDescription": self.settings.get("PipelineExecutionDescription"),
                "PipelineExecutionDisplayName": self.settings["PipelineExecutionDisplayName"],
                "PipelineExecutionFailureReason": self.execution.failure_reason,
            }
        )


def step_summary(run: StepRun) -> Response:
    """Return the entry in `ListPipelineExecutionSteps`."""
    return with_values(
        {
            "StepName": run.step.name,
            "StepDisplayName": run.step.display_name,
            "StepDescription": run.step.description,
            "StartTime": run.started,
            "EndTime": run.ended,
            "StepStatus": run.status,
            "CacheHitResult": {"SourcePipelineExecutionArn": run.reused_from} if run.reused_from else None,
            "SelectiveExecutionResult": {"SourcePipelineExecutionArn": run.selected_from}
            if run.selected_from
            else None,
            "FailureReason": run.failure_reason,
            "Metadata": run.metadata(),
            "AttemptCount": run.attempts or None,
        }
    )
