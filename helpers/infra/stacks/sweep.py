"""Finds stacks that a project no longer needs: expired previews, failed stacks and orphaned ones.

A stack belongs to the project if its name and its tag match. Only expired previews are removed; all else is
reported, for people to look at.
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
"""Stands for the environment in the name of the stack with the role of all previews, an administrator's."""

_BROKEN = re.compile(r".*_FAILED|ROLLBACK_COMPLETE|REVIEW_IN_PROGRESS")
"""Statuses that a person, or a deployment, must do something about; UPDATE_ROLLBACK_COMPLETE is none."""


@dataclass(frozen=True)
class FoundStack:
    """A stack with a name as the project's stacks have."""

    name: str
    environment: str
    status: str
    tags: Mapping[str, str] = field(default_factory=dict)

    def is_of(self, project: str) -> bool:
        """Return whether its tags match its name."""
        return (self.tags.get("Project"), self.tags.get("Environment")) == (project, self.environment)


@dataclass(frozen=True)
class Sweep:
    """What is to be done about the stacks."""

    expired: tuple[str, ...] = ()
    """Previews, by their names."""
    kept: tuple[str, ...] = ()
    """Previews, each with the reason."""
    reported: tuple[str, ...] = ()
    """Stacks that need a person, each with the reason."""


def find_stacks(
    cloudformation: "CloudFormationClient", project: str, templates: Collection[str]
) -> list[FoundStack]:
    """Return the stacks whose names are those of a project's stacks, in any environment.

    Those whose tag names another project are not among them: a name may begin as that of another. What others
    do to a stack is waited for: a deployment may be renewing a preview.

    Args:
        cloudformation: a client.
        project: its name.
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
            # A nested stack goes with its parent, and one that is deleted stays listed for 90 days.
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
    """Return what is to be done about stacks at a moment."""
    expired, kept, reported = [], [], []
    previews: dict[str, list[FoundStack]] = {}
    for stack in stacks:
        if stack.name == stack_name(project, ROLE_OF_PREVIEWS, "github_oidc"):
            continue
        if not stack.is_of(project):
            reported.append(f"{stack.name}: its tags do not name {project}; it is left alone")
        elif is_preview(stack.environment):
            previews.setdefault(stack.environment, []).append(stack)
        elif stack.environment not in names():
            reported.append(f"{stack.name}: there is no environment {stack.environment}")
        if stack.is_of(project) and _BROKEN.fullmatch(stack.status):
            reported.append(f"{stack.name}: it is in {stack.status}")
    for name, of_preview in sorted(previews.items()):
        # Each deployment renews all stacks; one that was interrupted has renewed the first of them.
        expiries = [at for stack in of_preview if (at := expiry(stack.tags))]
        if not expiries:
            kept.append(f"{name}: none of its stacks has an expiry")
        elif max(expiries) > now:
            kept.append(f"{name}: it expires {max(expiries):%Y-%m-%d %H:%M} UTC")
        else:
            expired.append(name)
    return Sweep(tuple(expired), tuple(kept), tuple(reported))


def remaining(stacks: Sequence[FoundStack], project: str, preview: str) -> list[str]:
    """Return the names of those stacks that are of a preview."""
    return [stack.name for stack in stacks if stack.environment == preview and stack.is_of(project)]
