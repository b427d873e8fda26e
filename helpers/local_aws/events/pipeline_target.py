"""Pipelines as targets of rules: their parameters, and the role that starts them."""

from collections.abc import Mapping
from typing import Any

from helpers.local_aws.access.authorization import authorize_action
from helpers.local_aws.access.role_trust import RoleError, is_trusted
from helpers.local_aws.pipelines.expressions import follow_path

SERVICE = "events.amazonaws.com"
_PATH = "$."


def is_pipeline(target: Mapping[str, Any]) -> bool:
    """Return whether a target of a rule is a pipeline."""
    return ":pipeline/" in target["Arn"] and ":sagemaker:" in target["Arn"]


def start_request(
    target: Mapping[str, Any], event: Mapping[str, Any], source_arn: str, service: str = SERVICE
) -> dict[str, Any]:
    """Return the StartPipelineExecution request of a target.

    Args:
        target: the target of a rule or a schedule; the value of a parameter can be a path into the event,
            such as `$.detail.ModelPackageArn`.
        event: the event that the rule matches, or that of the schedule.
        source_arn: ARN of the rule, or of the group of the schedule.
        service: the service that starts the pipeline.

    Raises:
        RoleError: the target has no role that the service may assume.
        ApiError: the role may not start the pipeline.
        ExpressionError: A path does not exist in the event.
    """
    role_arn = target.get("RoleArn")
    if not role_arn or not is_trusted(role_arn, service, source_arn):
        raise RoleError(f"{service} cannot assume the role {role_arn} of the target {target.get('Id')}")
    authorize_action(role_arn, "sagemaker:StartPipelineExecution", target["Arn"])
    parameters = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or []
    return {
        "PipelineName": target["Arn"],
        "ClientRequestToken": f"{event['id']}-{target['Id']}",
        "PipelineParameters": [
            {"Name": each["Name"], "Value": _value(each["Value"], event)} for each in parameters
        ],
    }


def _value(text: str, event: Mapping[str, Any]) -> str:
    if not text.startswith(_PATH):
        return text
    return str(follow_path(event, text.removeprefix(_PATH), "the event"))
