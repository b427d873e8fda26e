"""Finds stacks that a project no longer needs: expired previews, failed stacks and orphaned ones.

A stack belongs to the project if its name and its tags match. Only expired previews are deleted; other
stacks are reported.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from helpers.environments import is_preview, names
from helpers.infra.stacks.configuration import stack_name
from helpers.infra.stacks.previews import expiry, tags_of
from helpers.infra.stacks.waiting import READING, wait_until_stable

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

ROLE_OF_PREVIEWS = "preview"
"""The environment in the name of the stack with the role of all previews, which an administrator deploys."""

_BROKEN = re.compile(r".*_FAILED|ROLLBACK_COMPLETE|REVIEW_IN_PROGRESS")
"""Statuses that need a deployment or a manual fix. A stack in UPDATE_ROLLBACK_COMPLETE works."""


@dataclass(frozen=True)
class FoundStack:
    """A stack whose name is that of a stack of the project."""

    name: str
    environment: str
    status: str
    tags: Mapping[str, str] = field(default_factory=dict)

    def is_of(self, project: str) -> bool:
        """Return whether its tags name the project and the environment."""
        return (self.tags.get("Project"), self.tags.get("Environment")) == (project, self.environment)


@dataclass(frozen=True)
class Sweep:
    """The previews to delete, and the stacks to report."""

    expired: tuple[str, ...] = ()
    """The names of previews to delete."""
    kept: tuple[str, ...] = ()
    """The previews to keep, with the reason."""
    reported: tuple[str, ...] = ()
    """The stacks that someone must check, with the reason."""


def find_stacks(
    cloudformation: "CloudFormationClient", project: str, templates: Collection[str]
) -> list[FoundStack]:
    """Return the stacks whose names are those of a project's stacks, in any environment.

    Stacks with the tag of another project are excluded, because one project name can be a prefix of another.
    The function waits for operations in progress, because a deployment may renew a preview.

    Args:
        cloudformation: a client.
        project: the name of the project.
        templates: the names of its templates.

    Raises:
        UserError: an operation on a stack does not end.
    """
    endings = "|".join(sorted(re.escape(stack_name("", "", name).lstrip("-")) for name in templates))
    ours = re.compile(rf"{re.escape(project)}-(?P<environment>[A-Za-z0-9-]+?)-(?:{endings})")
    found = []
    for page in cloudformation.get_paginator("list_stacks").paginate():
        for each in page["StackSummaries"]:
            name = ours.fullmatch(each["StackName"])
            # A nested stack is deleted with its parent, and a deleted stack stays listed for 90 days.
            if name is None or "ParentId" in each or each["StackStatus"] == "DELETE_COMPLETE":
                continue
            stack = wait_until_stable(cloudformation, each.get("StackId", each["StackName"]), READING)
            if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
                continue
            tags = tags_of(stack)
            if tags.get("Project", project) == project:
                found.append(FoundStack(stack["StackName"], name["environment"], stack["StackStatus"], tags))
    return found


def decide(stacks: Iterable[FoundStack], project: str, now: datetime) -> Sweep:
    """Return the previews to delete at a time, and the stacks to report."""
    expired, kept, reported = [], [], []
    previews: dict[str, list[FoundStack]] = {}
    for stack in stacks:
        if stack.name == stack_name(project, ROLE_OF_PREVIEWS, "github_oidc"):
            continue
        if not stack.is_of(project):
            reported.append(f"{stack.name}: its tags do not name {project}; it is kept")
        elif is_preview(stack.environment):
            previews.setdefault(stack.environment, []).append(stack)
        elif stack.environment not in names():
            reported.append(f"{stack.name}: there is no environment {stack.environment}")
        if stack.is_of(project) and _BROKEN.fullmatch(stack.status):
            reported.append(f"{stack.name}: it is in {stack.status}")
    for name, of_preview in sorted(previews.items()):
        # A deployment renews all stacks; an interrupted one renewed only the first of them.
        expiries = [at for stack in of_preview if (at := expiry(stack.tags))]
        if not expiries:
            kept.append(f"{name}: none of its stacks has an expiry")
        elif max(expiries) > now:
            kept.append(f"{name}: it expires {max(expiries):%Y-%m-%d %H:%M} UTC")
        else:
            expired.append(name)
    return Sweep(tuple(expired), tuple(kept), tuple(reported))


def remaining(stacks: Sequence[FoundStack], project: str, preview: str) -> list[str]:
    """Return the names of the stacks of a preview."""
    return [stack.name for stack in stacks if stack.environment == preview and stack.is_of(project)]
