"""Ends CloudFormation operations that were in progress when the server died."""

from typing import Any

from helpers.local_aws.cloudformation.backend import Backend
from helpers.local_aws.cloudformation.stacks import Stack
from helpers.local_aws.persistence.moto_state import MotoState, backends_of

_REASON = "Internal Failure: the embedded AWS ended during the operation."


def end_stack_operations(state: MotoState) -> None:
    """End the stack operations and change sets that are in progress.

    Their resources are unchanged so far. A request returns when its operation is complete, and a snapshot
    waits for that, so only operations that LOCAL_AWS_FAULTS has delayed are in progress.
    """
    backends: list[Any] = [backend for backend in backends_of(state) if isinstance(backend, Backend)]
    for backend in backends:
        for stack in list(backend.stacks.values()):
            _end(stack)
        for change_set in backend.change_sets.values():
            if change_set.status == "CREATE_IN_PROGRESS":
                change_set.fail(_REASON)


def _end(stack: Stack) -> None:
    match stack.status:
        case "CREATE_IN_PROGRESS":
            stack.set_status("ROLLBACK_IN_PROGRESS", _REASON)
            stack.set_status("ROLLBACK_COMPLETE")
        case "UPDATE_IN_PROGRESS":
            stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", _REASON)
            stack.set_status("UPDATE_ROLLBACK_COMPLETE")
        case "IMPORT_IN_PROGRESS":
            stack.set_status("IMPORT_ROLLBACK_IN_PROGRESS", _REASON)
            stack.set_status("IMPORT_ROLLBACK_COMPLETE")
        case "DELETE_IN_PROGRESS":
            stack.set_status("DELETE_FAILED", _REASON)
