"""Migrates keys and buckets from the single stack of earlier versions without losing objects.

CloudFormation cannot import a resource that still belongs to another stack. The legacy stack is therefore
first updated to retain its keys and buckets, and then deleted. The new stacks import what it retained.

The template of an import is not that of the new stack, because an import does not change resources.
CloudFormation assumes that the properties in the template are those of the resource. The deployment after it
would find no difference, and would not update the encryption or the key policy. The import therefore
declares as few properties as CloudFormation allows, and the deployment sets the others.

The progress is read from the stacks. An interrupted migration continues after the operation in
progress has ended.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from helpers.errors import UserError, one_per_line
from helpers.infra.stacks.change_sets import PlannedChangeSet, create_change_set
from helpers.infra.stacks.configuration import StackConfiguration
from helpers.infra.stacks.deploy import delete_failed_stack, deploy_all, execute_and_wait
from helpers.infra.stacks.legacy import BUCKET, KEY, MOVED_TYPES, TYPES, LegacyStack
from helpers.infra.stacks.retention import (
    not_retained,
    original_template,
    reject_more_than_retention,
    retaining,
)
from helpers.infra.stacks.status import Readiness, find_stack, processed_resources, readiness
from helpers.infra.stacks.waiting import EventFeed, Polling, first_failure, wait_until_stable, watch

if TYPE_CHECKING:
    import boto3
    from rich.console import Console
    from types_boto3_cloudformation.type_defs import ResourceToImportTypeDef, StackTypeDef

IDENTIFIERS = {KEY: "KeyId", BUCKET: "BucketName"}


def migrate(
    session: "boto3.Session",
    legacy_name: str,
    stacks: Sequence[StackConfiguration],
    console: "Console",
    confirm: Callable[[str], str] | None = None,
    polling: Polling | None = None,
) -> dict[str, str]:
    """Migrate keys and buckets of the legacy stack to the new stacks, deploy them, and return their outputs.

    The result is empty if there is neither a legacy stack nor a migration to continue.

    Args:
        session: a session of the region of the stacks.
        legacy_name: the name of the legacy stack.
        stacks: the new stacks, in deployment order.
        console: the console for progress messages.
        confirm: shows a question and returns the answer, which must be the name of the environment; None does
            not ask.
        polling: how often and how long to poll.

    Raises:
        UserError: not confirmed, or a step failed or would lose data; completed steps are not undone.
    """
    legacy, environment = LegacyStack(session, legacy_name), stacks[0].environment
    polling = polling or Polling()
    for name in (legacy.name, *(stack.name for stack in stacks)):
        wait_until_stable(legacy.cloudformation, name, polling)
    there = find_stack(legacy.cloudformation, legacy.name)
    if there:
        _reject_unless_movable(legacy, there)
    elif nothing := _reason_for_nothing(legacy, stacks):
        console.print(f"{nothing}: nothing to do.", highlight=False)
        return {}
    if confirm:
        _confirm(confirm, legacy.name, environment)
    try:
        if there:
            _retain(legacy, there, stacks[0], console, polling)
            _delete(legacy, there, console, polling)
        _import_retained(legacy, stacks[0], console, polling)
        console.print("[bold]Deploying the new stacks[/]: keys and buckets get their new policies.")
        return deploy_all(legacy.cloudformation, stacks, console, polling, reject_loss)
    except BaseException as error:
        error.add_note(
            "The migration is not complete. Do not deploy before that. "
            f"Continue with: make migrate ENV={environment}"
        )
        raise


def _reject_unless_movable(legacy: LegacyStack, there: "StackTypeDef") -> None:
    status, delete = there["StackStatus"], f"aws cloudformation delete-stack --stack-name {legacy.name}"
    if status != "DELETE_FAILED" and readiness(there) is not Readiness.UPDATE:
        raise UserError(
            f"{legacy.name} is in {status} and has nothing to migrate", hint=f"Delete it with: {delete}"
        )
    missing = TYPES.keys() - processed_resources(legacy.cloudformation, legacy.name).keys()
    if missing:
        raise UserError(
            f"{legacy.name} was not deployed from the template of an earlier version: it has no "
            f"{', '.join(sorted(missing))}",
            hint=f"If it is no longer needed, delete it with: {delete}",
        )
    _reject_taken(legacy, legacy.imported())


def _reason_for_nothing(legacy: LegacyStack, stacks: Sequence[StackConfiguration]) -> str | None:
    """Return why there is nothing to migrate, or None if there is a migration to continue."""
    retained, imported = legacy.retained_resources(), legacy.imported()
    mine = {name for name, found in imported.items() if retained.get(name) == found}
    gone = {name: found for name, found in retained.items() if not legacy.is_there(name, found)}
    if gone == retained or (imported and not mine):
        return f"There is no stack {legacy.name} to migrate"
    if mine == TYPES.keys() and all(_is_deployed(legacy, stack) for stack in stacks):
        return f"{legacy.name} is already migrated"
    if gone:
        lost = ", ".join(f"{name} ({found})" for name, found in gone.items())
        raise UserError(
            f"{legacy.name} retained {lost}, which is deleted now or pending deletion",
            hint="Restore it; for a key, run: aws kms cancel-key-deletion and aws kms enable-key",
        )
    _reject_taken(legacy, {name: found for name, found in imported.items() if name not in mine})
    return None


def _is_deployed(legacy: LegacyStack, stack: StackConfiguration) -> bool:
    found = find_stack(legacy.cloudformation, stack.name)
    return found is not None and found["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def _reject_taken(legacy: LegacyStack, others: Mapping[str, str]) -> None:
    problems = [
        f"{legacy.successor_name(template)} has a {name} of its own, {others[name]}: if it is not "
        "needed, empty and delete that stack: aws cloudformation delete-stack "
        f"--stack-name {legacy.successor_name(template)}"
        for template, types in MOVED_TYPES.items()
        for name in types
        if name in others
    ]
    if problems:
        raise UserError(
            f"{legacy.name} cannot be migrated:{one_per_line(problems)}",
            hint="Correct these problems, then run the command again",
        )


def _confirm(ask: Callable[[str], str], name: str, environment: str) -> None:
    try:
        answer = ask(
            f"This moves the keys and buckets of {name} to new stacks. Its other resources, such as the "
            "network and roles, are deleted and created again. Do not run pipelines meanwhile. "
            f"Type {environment} to continue: "
        )
    except EOFError:
        answer = ""
    if answer.strip() != environment:
        raise UserError(
            "Not confirmed, nothing was changed",
            hint=f"Type {environment}, or run: make migrate ENV={environment} ARGS=--yes",
        )


def _retain(
    legacy: LegacyStack,
    there: "StackTypeDef",
    like: StackConfiguration,
    console: "Console",
    polling: Polling,
) -> None:
    """Update the legacy stack to retain its keys and buckets, and change nothing else."""
    cloudformation, stack_id = legacy.cloudformation, there.get("StackId", legacy.name)
    if not not_retained(cloudformation, stack_id, TYPES):
        console.print(f"{legacy.name} already retains its keys and buckets.")
        return
    console.print(f"[bold]Updating {legacy.name}[/] to retain {', '.join(TYPES)}.")
    text = retaining(original_template(cloudformation, stack_id), TYPES)
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in there.get("Parameters", [])}
    tags = {each["Key"]: each["Value"] for each in there.get("Tags", [])}
    same = StackConfiguration(like.environment, legacy.name, text, parameters, tags)
    planned = create_change_set(cloudformation, same, "UPDATE", polling)
    execute_and_wait(cloudformation, planned, console, polling, reject_more_than_retention)


def _delete(legacy: LegacyStack, there: "StackTypeDef", console: "Console", polling: Polling) -> None:
    """Delete the legacy stack, if it retains its keys and buckets."""
    cloudformation, stack_id = legacy.cloudformation, there.get("StackId", legacy.name)
    if lost := not_retained(cloudformation, stack_id, TYPES):
        listed = ", ".join(f"{name} (DeletionPolicy {policy})" for name, policy in lost.items())
        raise UserError(
            f"{legacy.name} is not deleted, because {listed} would be deleted with it",
            hint="Set DeletionPolicy Retain on them, then run the command again",
        )
    console.print(f"[bold]Deleting {legacy.name}[/]: its keys and buckets stay.")
    feed = EventFeed(cloudformation, stack_id)
    cloudformation.delete_stack(StackName=stack_id)
    if reason := first_failure(watch(feed, legacy.name, console, polling)):
        raise UserError(
            f"The deletion of {legacy.name} failed: {reason}",
            hint="Correct the cause, then run the command again",
        )


def _import_retained(
    legacy: LegacyStack, like: StackConfiguration, console: "Console", polling: Polling
) -> None:
    """Import the keys and buckets that the legacy stack retained into the new stacks."""
    cloudformation = legacy.cloudformation
    retained, imported = legacy.retained_resources(), legacy.imported()
    for template, types in MOVED_TYPES.items():
        name = legacy.successor_name(template)
        if types.keys() <= imported.keys():
            continue
        _delete_failed(legacy, name, console, polling)
        console.print(f"[bold]Importing into {name}[/] {', '.join(types)}.")
        what: list[ResourceToImportTypeDef] = [
            {
                "ResourceType": type_,
                "LogicalResourceId": each,
                "ResourceIdentifier": {IDENTIFIERS[type_]: retained[each]},
            }
            for each, type_ in types.items()
        ]
        definitions = {each: legacy.definition(each, retained[each]) for each in types}
        bare = StackConfiguration(like.environment, name, json.dumps({"Resources": definitions}), {}, {})
        planned = create_change_set(cloudformation, bare, "IMPORT", polling, what)
        execute_and_wait(cloudformation, planned, console, polling)


def _delete_failed(legacy: LegacyStack, name: str, console: "Console", polling: Polling) -> None:
    """Delete the empty stack that a failed creation or import left behind."""
    stack = find_stack(legacy.cloudformation, name)
    if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        return
    if stack["StackStatus"] != "IMPORT_ROLLBACK_COMPLETE" and readiness(stack) is not Readiness.RECREATE:
        raise UserError(
            f"{name} already exists, in {stack['StackStatus']}, without the resources that it is to import",
            hint="If nothing in it is needed, delete it with: aws cloudformation delete-stack "
            f"--stack-name {name}",
        )
    delete_failed_stack(legacy.cloudformation, stack, console, polling)


def reject_loss(planned: PlannedChangeSet) -> None:
    """Raise a UserError if a deployment would replace or delete keys or buckets, or create migrated ones."""
    lost = [
        f"{change.logical_id} ({change.resource_type}): {change.action} {change.replacement_causes}".rstrip()
        for change in planned.changes
        if change.resource_type in IDENTIFIERS
        and change.action != "change"
        and (change.action != "add" or change.logical_id in TYPES)
    ]
    if lost:
        raise UserError(
            f"Not deployed, as {planned.stack_name} would lose data:{one_per_line(lost)}",
            hint="Undo these changes in infra/, then run the command again",
        )
