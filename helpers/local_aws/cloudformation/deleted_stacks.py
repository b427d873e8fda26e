"""Stacks that are gone: CloudFormation tells of their resources for 90 days, moto of none."""

from typing import Any

from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

_list_stack_resources = CloudFormationResponse.list_stack_resources


def remember_deleted_stacks() -> None:
    """Have moto's API tell what became of the resources of a deleted stack."""
    CloudFormationResponse.list_stack_resources = list_stack_resources


def list_stack_resources(response: Any) -> Any:
    """Return the resources of a stack; those of a deleted one with the status of their last event."""
    stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))
    if stack.status != "DELETE_COMPLETE":
        return _list_stack_resources(response)
    last = {
        event.logical_resource_id: event
        for event in stack.events
        if event.physical_resource_id != stack.stack_id
    }
    return ActionResult(
        {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": name,
                    "PhysicalResourceId": event.physical_resource_id,
                    "ResourceType": event.resource_type,
                    "ResourceStatus": event.resource_status,
                    "LastUpdatedTimestamp": event.timestamp,
                }
                for name, event in last.items()
            ]
        }
    )
