"""Deletes an environment's stacks, and lists what remains."""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from helpers.command_line import make_command
from helpers.errors import UserError
from helpers.infra.stacks.buckets import empty_bucket, logs_last
from helpers.infra.stacks.configuration import stack_name
from helpers.infra.stacks.model_packages import empty_group
from helpers.infra.stacks.outputs import outputs_if_deployed
from helpers.infra.stacks.status import find_stack, processed_resources, stack_resources
from helpers.infra.stacks.studio import delete_homes, deleted_domains, empty_domain, vpc_of
from helpers.infra.stacks.waiting import (
    EventFeed,
    Polling,
    first_failure,
    wait_until_stable,
    watch,
    when_stable,
)
from helpers.progress import progress

if TYPE_CHECKING:
    import boto3
    from rich.console import Console
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef
    from types_boto3_kms import KMSClient

    from helpers.infra.stacks.configuration import StackConfiguration

_GITHUB_SUFFIX = stack_name("", "", "github_oidc").removeprefix("-")
"""The suffix of the name of the stack with GitHub's roles."""


def reject_protected(stacks: Sequence["StackConfiguration"], *, allowed: bool) -> None:
    """Raise a UserError if the environment of the stacks is protected, unless their teardown is allowed."""
    if not allowed and any(stack.protected for stack in stacks):
        environment = stacks[0].environment
        raise UserError(
            f"{environment} is protected",
            hint=f"To delete it nevertheless, run: make teardown ENV={environment} ARGS=--allow-protected",
        )


def teardown(
    session: "boto3.Session",
    stacks: Sequence["StackConfiguration"],
    console: "Console",
    confirm: Callable[[str], str] | None = None,
    polling: Polling | None = None,
    before: Callable[[], object] | None = None,
    *,
    with_github: bool = True,
) -> None:
    """Empty buckets and model package groups, delete the stacks in reverse order, and show what remains.

    A permissions boundary that only an administrator may delete is not an error. Its stack remains, but all
    resources that cost money or contain data are deleted.

    Args:
        session: a session of the region of the stacks.
        stacks: the stacks of an environment, in deployment order.
        console: the console for progress messages.
        confirm: shows a question and returns the answer, which must be the name of the environment; None does
            not ask.
        polling: how often and how long to poll.
        before: called after the confirmation, to delete what depends on the stacks; also if there are none.
        with_github: also delete the stack of GitHub's roles. This needs an administrator, because the role of
            a workflow may not delete itself.

    Raises:
        UserError: not confirmed, an operation on a stack does not end, or a deletion failed.
    """
    cloudformation = session.client("cloudformation")
    left = [] if with_github else [stack.name for stack in stacks if stack.name.endswith(_GITHUB_SUFFIX)]
    stacks = [stack for stack in stacks if stack.name not in left]
    left = [name for name in left if find_stack(cloudformation, name)]
    found = {stack.name: there for stack in stacks if (there := find_stack(cloudformation, stack.name))}
    if not found:
        if before:
            before()
        console.print(f"There is no stack {' or '.join(stack.name for stack in stacks)}: nothing to do.")
        _show_retained(left, console)
        return
    if confirm:
        _confirm(confirm, [*found], left, stacks[0].environment)
    polling = polling or Polling()
    for stack in stacks:  # an operation in progress may create the stack, or delete it
        if there := wait_until_stable(cloudformation, stack.name, polling):
            found[stack.name] = there
    if before:
        before()
    names = {stack.name for stack in stacks}
    order = [stack for stack in reversed(stacks) if stack.name in found]
    try:
        with progress("teardown", stacks[0].environment, [stack.name for stack in order], console) as steps:
            for stack in order:
                stack_id = found[stack.name].get("StackId", stack.name)
                with steps.step(stack.name):
                    _delete(session, stack, stack_id, names, console, polling)
    except KeyboardInterrupt as interruption:
        interruption.add_note(f"Continue with: {make_command('teardown', ENV=stacks[0].environment)}")
        raise
    _show_retained(left, console)


def _show_retained(names: Sequence[str], console: "Console") -> None:
    for name in names:
        console.print(
            f"Remains: {name}, the stack of GitHub's roles. As an administrator, delete it with: "
            "make teardown ARGS=--with-github",
            highlight=False,
        )


def _delete(
    session: "boto3.Session",
    stack: "StackConfiguration",
    stack_id: str,
    names: Collection[str],
    console: "Console",
    polling: Polling,
) -> None:
    """Delete a stack of an environment; `names` are those of all its stacks."""
    cloudformation = session.client("cloudformation")
    resources = stack_resources(cloudformation, stack_id)
    deleted = _deleted_with_the_stack(cloudformation, stack_id)

    def of_type(resource_type: str) -> list[str]:
        return [
            resource.get("PhysicalResourceId", "")
            for resource in resources
            if resource["ResourceType"] == resource_type
            and resource["LogicalResourceId"] in deleted
            and resource["ResourceStatus"] != "DELETE_COMPLETE"
        ]

    _empty(session, of_type, console)
    domains = {
        domain: vpc for domain in of_type("AWS::SageMaker::Domain") if (vpc := vpc_of(session, domain))
    }
    for domain in domains:
        empty_domain(session, domain, console, polling)
    deletes_homes = not stack.protected
    if deletes_homes:  # those of domains that an interrupted teardown deleted
        for vpc in (own := of_type("AWS::EC2::VPC")):
            delete_homes(session, vpc, console, polling)
        existing = outputs_if_deployed(cloudformation, stack_id).get("VpcId")
        if existing and existing not in own:  # an existing VPC can contain other domains
            delete_homes(session, existing, console, polling, deleted_domains(cloudformation, names))
    events = _delete_stack(cloudformation, stack, stack_id, console, polling)
    for domain, vpc in domains.items():
        if deletes_homes:
            delete_homes(session, vpc, console, polling, [domain])
        else:
            console.print(
                f"Remains: the file system of the homes of {domain}, and with it {vpc}. Delete it by hand "
                "when it is no longer needed.",
                highlight=False,
            )
    for line in [*_retained(events), *_keys_pending_deletion(session.client("kms"), events)]:
        console.print(line, highlight=False)


def _empty(session: "boto3.Session", of_type: Callable[[str], list[str]], console: "Console") -> None:
    """Empty buckets and model package groups, because CloudFormation deletes only empty ones."""
    s3 = session.client("s3")
    for bucket in logs_last(s3, of_type("AWS::S3::Bucket")):
        empty_bucket(s3, bucket, console)
    for group in of_type("AWS::SageMaker::ModelPackageGroup"):
        empty_group(session.client("sagemaker"), group, console)


def _delete_stack(
    cloudformation: "CloudFormationClient",
    stack: "StackConfiguration",
    stack_id: str,
    console: "Console",
    polling: Polling,
) -> list["StackEventTypeDef"]:
    def begin(there: "StackTypeDef | None") -> EventFeed | None:
        if there is None or there["StackStatus"] == "DELETE_COMPLETE":
            return None  # another command has deleted it
        feed = EventFeed(cloudformation, stack_id)
        cloudformation.delete_stack(StackName=stack_id)
        return feed

    feed = when_stable(cloudformation, stack_id, polling, begin)
    events = watch(feed, stack.name, console, polling) if feed else []
    if boundaries := _protected_boundaries(events):
        console.print(
            f"Remains: {stack.name}, with the permissions boundary {' and '.join(boundaries)}, which you may "
            f"not delete. As an administrator, run: make teardown ENV={stack.environment}. Do not deploy "
            "before that.",
            highlight=False,
        )
    elif events and (reason := first_failure(events)):
        raise UserError(
            f"The deletion of {stack.name} failed: {reason}",
            hint=f"Correct the cause, then run: make teardown ENV={stack.environment}",
        )
    else:
        console.print(f"{stack.name} is deleted.")
    return events


def _protected_boundaries(events: Sequence["StackEventTypeDef"]) -> list[str]:
    """Return the permissions boundaries that the role may not delete, if nothing else failed."""
    failed = [
        event
        for event in events
        if event.get("ResourceStatus") == "DELETE_FAILED"
        and event.get("PhysicalResourceId") != event["StackId"]
    ]
    boundaries = [
        event.get("PhysicalResourceId", "")
        for event in failed
        if event.get("ResourceType") == "AWS::IAM::ManagedPolicy"
        and event.get("PhysicalResourceId", "").endswith("-boundary")
        and "explicit deny" in event.get("ResourceStatusReason", "")
    ]
    return boundaries if len(boundaries) == len(failed) else []


def _confirm(ask: Callable[[str], str], names: Sequence[str], left: Sequence[str], environment: str) -> None:
    listed = ", ".join(names)
    but = f"{', '.join(left)} stays. " if left else ""
    try:
        answer = ask(f"This deletes {listed} and the data in them. {but}Type {environment} to continue: ")
    except EOFError:
        answer = ""
    if answer.strip() != environment:
        raise UserError(
            "Not confirmed, nothing was deleted",
            hint=f"Type {environment}, or run: make teardown ENV={environment} ARGS=--yes",
        )


def _deleted_with_the_stack(cloudformation: "CloudFormationClient", stack_id: str) -> set[str]:
    """Return the logical IDs of resources that are deleted with the stack, as its deployed template defines.

    A resource is treated as retained unless its template clearly deletes it, so that no data is lost.
    """
    resources = processed_resources(cloudformation, stack_id)
    return {
        key for key, resource in resources.items() if resource.get("DeletionPolicy", "Delete") == "Delete"
    }


def _retained(events: list["StackEventTypeDef"]) -> list[str]:
    skipped = [event for event in events if event.get("ResourceStatus") == "DELETE_SKIPPED"]
    return [
        f"Remains: {event.get('ResourceType')} {event.get('PhysicalResourceId')}. The template retains it "
        "(DeletionPolicy); delete it by hand when it is no longer needed."
        for event in skipped
    ]


def _keys_pending_deletion(kms: "KMSClient", events: list["StackEventTypeDef"]) -> list[str]:
    lines = []
    for event in events:
        if (event.get("ResourceType"), event.get("ResourceStatus")) != ("AWS::KMS::Key", "DELETE_COMPLETE"):
            continue
        key = kms.describe_key(KeyId=event.get("PhysicalResourceId", ""))["KeyMetadata"]
        if date := key.get("DeletionDate"):
            lines.append(
                f"Remains until {date:%Y-%m-%d}: KMS key {key['KeyId']}, pending deletion. Restore it with: "
                f"aws kms cancel-key-deletion --key-id {key['KeyId']}"
            )
    return lines
