"""The event for the end of a pipeline step.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from typing import Any

from helpers.local_aws.api.response import with_values
from helpers.local_aws.events.event import TIME_FORMAT, new_event
from helpers.local_aws.pipelines.execution import StepRun


def step_event(run: StepRun, pipeline_arn: str, execution_arn: str, region: str) -> dict[str, Any]:
    """Return the event for the final status of a step."""
    detail = with_values(
        {
            "failureReason": run.failure_reason,
            "stepStartTime": run.started.strftime(TIME_FORMAT),
            "stepEndTime": run.ended.strftime(TIME_FORMAT) if run.ended else None,
            "stepName": run.step.name,
            "stepType": run.step.type,
            "previousStepStatus": "Executing",
            "currentStepStatus": run.status,
            "pipelineArn": pipeline_arn,
            "pipelineExecutionArn": execution_arn,
        }
    )
    return new_event(
        "aws.sagemaker",
        "SageMaker Model Building Pipeline Execution Step Status Change",
        [pipeline_arn, execution_arn],
        detail,
        region,
    )
