"""The outputs of an environment's stacks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.table import Table

from helpers.errors import UserError
from helpers.infra.stacks.configuration import stack_names
from helpers.infra.stacks.status import find_stack
from helpers.infra.stacks.waiting import READING, wait_until_stable

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

    from helpers.environments import Environment


def stack_outputs(cloudformation: "CloudFormationClient", environment: "Environment") -> dict[str, str]:
    """Return the outputs of an environment's stacks by key, after operations in progress have ended.

    Raises:
        UserError: a stack is missing, was never deployed successfully, or an operation on it does not end.
    """
    outputs: dict[str, str] = {}
    for name in stack_names(environment):
        outputs |= outputs_of(cloudformation, name, environment)
    return outputs


def outputs_of(
    cloudformation: "CloudFormationClient", name: str, environment: "Environment"
) -> dict[str, str]:
    """Return the outputs of a stack by key; see `stack_outputs`."""
    stack = wait_until_stable(cloudformation, name, READING)
    deploy = f"Deploy it with: make deploy ENV={environment}"
    if stack is None:
        raise UserError(f"There is no stack {name}", hint=deploy)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    if not outputs:
        raise UserError(f"The stack {name} has no outputs, its status is {stack['StackStatus']}", hint=deploy)
    return outputs


def outputs_if_deployed(cloudformation: "CloudFormationClient", name: str) -> dict[str, str]:
    """Return the outputs of a stack by key; empty if the stack does not exist."""
    stack = find_stack(cloudformation, name)
    return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])} if stack else {}


def missing_stacks(cloudformation: "CloudFormationClient", environment: "Environment") -> list[str]:
    """Return the names of an environment's stacks that are missing, or were never deployed successfully."""
    return [name for name in stack_names(environment) if not outputs_if_deployed(cloudformation, name)]


def table_of(outputs: Mapping[str, str], name: str) -> Table:
    """Return outputs as a table."""
    table = Table("Output", "Value", title=f"Outputs of {name}", title_justify="left")
    table.columns[1].overflow = "fold"
    for key, value in outputs.items():
        table.add_row(key, value)
    return table
