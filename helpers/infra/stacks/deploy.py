"""Deploys the stacks of an environment from their templates and parameters."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.command_line import continuing_on_aws, make_command
from helpers.errors import UserError
from helpers.infra.stacks.change_sets import (
    OutdatedError,
    PlannedChangeSet,
    create_change_set,
    discard,
    execute,
)
from helpers.infra.stacks.configuration import INFRA, legacy_stack_name, load_stacks
from helpers.infra.stacks.legacy import reject_legacy
from helpers.infra.stacks.outputs import outputs_of, table_of
from helpers.infra.stacks.plan import show
from helpers.infra.stacks.previews import with_new_expiry
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.infra.stacks.status import Readiness, find_stack, readiness
from helpers.infra.stacks.waiting import (
    EventFeed,
    Polling,
    first_failure,
    poll,
    watch,
    watch_command,
    when_stable,
)
from helpers.progress import OneStep, Progress, progress

if TYPE_CHECKING:
    import boto3
    from rich.console import Console
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.literals import ChangeSetTypeType
    from types_boto3_cloudformation.type_defs import StackTypeDef

    from helpers.environments import Environment
    from helpers.infra.stacks.configuration import StackConfiguration


def deploy_environment(
    session: "boto3.Session",
    environment: "Environment",
    console: "Console",
    infra: Path = INFRA,
    steps: Progress | None = None,
) -> None:
    """Deploy all stacks of an environment, and show their outputs.

    Args:
        session: a session of the region of the stacks.
        environment: the environment.
        console: the console for progress messages.
        infra: the folder of the templates and their parameters.
        steps: the progress of a command of which the stacks are steps; by default a new one.

    Raises:
        UserError: a deployment failed, or the single stack of an earlier version still exists.
    """
    stacks = with_regional_values(session.client("ec2"), load_stacks(environment, infra))
    cloudformation = session.client("cloudformation")
    reject_legacy(cloudformation, legacy_stack_name(environment, infra), environment)
    own = progress("deploy", environment, [stack.name for stack in stacks], console)
    with nullcontext(steps) if steps else own as shown:
        expiring = with_new_expiry(stacks, datetime.now(UTC))
        outputs = deploy_all(cloudformation, expiring, console, step=shown.step)
    console.print(table_of(outputs, f"the stacks of {environment}"))


def deploy_all(
    cloudformation: "CloudFormationClient",
    stacks: Sequence["StackConfiguration"],
    console: "Console",
    polling: Polling | None = None,
    check: Callable[[PlannedChangeSet], None] | None = None,
    step: OneStep = nullcontext,
) -> dict[str, str]:
    """Deploy the stacks of an environment in order, and return their outputs by key.

    Args:
        cloudformation: a client of the region of the stacks.
        stacks: the stacks of an environment, in deployment order.
        console: the console for progress messages.
        polling: how often and how long to poll.
        check: called with the changes to each stack; raises a UserError to prevent them.
        step: returns a context manager around the changes to each stack, as `Progress.step` does.

    Raises:
        UserError: a deployment failed; its notes name the stacks that are deployed and those that are not.
    """
    outputs: dict[str, str] = {}
    for index, stack in enumerate(stacks):
        try:
            outputs |= deploy(cloudformation, stack.with_outputs(outputs), console, polling, check, step)
        except BaseException as error:
            done = ", ".join(each.name for each in stacks[:index]) or "none"
            waiting = ", ".join(each.name for each in stacks[index + 1 :]) or "none"
            error.add_note(f"Deployed: {done}. Not started: {waiting}")
            if isinstance(error, KeyboardInterrupt):
                error.add_note(f"Continue with: {make_command('deploy', ENV=stack.environment)}")
            raise
    return outputs


def deploy(
    cloudformation: "CloudFormationClient",
    configuration: "StackConfiguration",
    console: "Console",
    polling: Polling | None = None,
    check: Callable[[PlannedChangeSet], None] | None = None,
    step: OneStep = nullcontext,
) -> dict[str, str]:
    """Create or update a stack, show its events, and return its outputs by key.

    The function waits for operations in progress. If the stack was changed after its changes were computed,
    they are computed again.

    Raises:
        UserError: the deployment failed, with the first failure as its reason, or could not start.
    """
    polling = polling or Polling()

    def plan(stack: "StackTypeDef | None") -> PlannedChangeSet:
        ready = readiness(stack)
        if stack and ready is Readiness.RECREATE:
            delete_failed_stack(cloudformation, stack, console, polling)
        kind: ChangeSetTypeType = "UPDATE" if ready is Readiness.UPDATE else "CREATE"
        return create_change_set(cloudformation, configuration, kind, polling)

    while True:
        planned = when_stable(cloudformation, configuration.name, polling, plan)
        try:
            execute_and_wait(cloudformation, planned, console, polling, check, step)
        except OutdatedError:
            console.print(f"{configuration.name} has been changed meanwhile: computing its changes again.")
        else:
            return outputs_of(cloudformation, configuration.name, configuration.environment)


def execute_and_wait(
    cloudformation: "CloudFormationClient",
    planned: PlannedChangeSet,
    console: "Console",
    polling: Polling,
    check: Callable[[PlannedChangeSet], None] | None = None,
    step: OneStep = nullcontext,
) -> None:
    """Show a change set, execute it and wait until it ends; see `deploy_all` for `check` and `step`.

    Raises:
        OutdatedError: the stack has been changed since.
        UserError: the operation failed, with the first failure as its reason, or could not start.
    """
    show(planned, console)
    if planned.is_empty:
        discard(cloudformation, planned)
        return
    feed = EventFeed(cloudformation, planned.stack_id)
    try:
        if check:
            check(planned)
        execute(cloudformation, planned)
    except BaseException:
        discard(cloudformation, planned)
        raise
    cancel = f"aws cloudformation cancel-update-stack --stack-name {planned.stack_name}"
    # CloudFormation can only cancel updates.
    stop = cancel if planned.kind == "UPDATE" else ""
    with step(planned.stack_name):
        events = watch(feed, planned.stack_name, console, polling, stop)
        if reason := first_failure(events):
            raise UserError(
                f"The deployment of {planned.stack_name} failed: {reason}",
                hint="Correct the cause, then run the command again",
            )


def delete_failed_stack(
    cloudformation: "CloudFormationClient", stack: "StackTypeDef", console: "Console", polling: Polling
) -> None:
    """Delete a stack whose creation failed, because it cannot be updated."""
    name, stack_id = stack["StackName"], stack.get("StackId", stack["StackName"])
    console.print(f"{name} is in {stack['StackStatus']}, because its creation failed: deleting it first.")
    feed = EventFeed(cloudformation, stack_id)
    cloudformation.delete_stack(StackName=stack_id)

    def ask() -> str | None:
        found = find_stack(cloudformation, stack_id)
        status = found["StackStatus"] if found else "DELETE_COMPLETE"
        return status if status in {"DELETE_COMPLETE", "DELETE_FAILED"} else None

    # Poll the status, because the deletion of a stack without resources may have no events.
    with continuing_on_aws(f"the deletion of {name}", watch_command(stack_id)):
        status = poll(ask, f"the deletion of {name}", polling)
    if status == "DELETE_FAILED":
        reason = first_failure(feed.take()) or "no reason given"
        raise UserError(
            f"The stack {name} that an earlier deployment failed to create could not be deleted: {reason}",
            hint="Remove the cause, then run the command again",
        )
