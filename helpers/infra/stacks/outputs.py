"""The outputs of an environment's stack."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.table import Table

from helpers.errors import UserError
from helpers.infra.stacks.configuration import stack_name
from helpers.infra.stacks.status import find_stack

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

    from helpers.aws import Environment


def stack_outputs(cloudformation: "CloudFormationClient", environment: "Environment") -> dict[str, str]:
    """Return the outputs of an environment's stack, by their keys.

    Raises:
        UserError: there is no stack, or none that has been deployed successfully.
    """
    return outputs_of(cloudformation, stack_name(environment), environment)


def outputs_of(
    cloudformation: "CloudFormationClient", name: str, environment: "Environment"
) -> dict[str, str]:
    """Return the outputs of a stack; see `stack_outputs`."""
    stack = find_stack(cloudformation, name)
    mend = f"Deploy it: make deploy ENV={environment}"
    if stack is None:
        raise UserError(f"There is no stack {name}. {mend}")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    if not outputs:
        raise UserError(f"The stack {name} has no outputs, its status is {stack['StackStatus']}. {mend}")
    return outputs


def table_of(outputs: Mapping[str, str], name: str) -> Table:
    """Return the outputs as a table for people."""
    table = Table("Output", "Value", title=f"Outputs of {name}", title_justify="left")
    table.columns[1].overflow = "fold"
    for key, value in outputs.items():
        table.add_row(key, value)
    return table
