"""CloudFormation's operations that were in progress when the server died: they come to an end."""

from typing import Any

from helpers.local_aws.cloudformation.backend import Backend
from helpers.local_aws.cloudformation.stacks import Stack
from helpers.local_aws.persistence.moto_state import MotoState, backends_of

_REASON = "Internal Failure: the embedded AWS ended during the operation."


def end_stack_operations(state: MotoState) -> None:
    """Bring stacks and change sets in progress to an end.

    None of their resources is touched yet: an operation is answered when it is over, and a snapshot waits for
    that, so that only those are in progress here that LOCAL_AWS_FAULTS had put off.
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
