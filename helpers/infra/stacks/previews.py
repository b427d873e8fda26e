"""The expiry of previews: a tag of their stacks, which each deployment renews."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import StackTypeDef

    from helpers.infra.stacks.configuration import StackConfiguration

EXPIRES_AT = "ExpiresAt"


def with_new_expiry(
    stacks: Iterable["StackConfiguration"], now: datetime
) -> tuple["StackConfiguration", ...]:
    """Return stacks as deployed at a time; those of a preview get a new expiry."""
    return tuple(
        stack
        if stack.time_to_live is None
        else _expiring(stack, (now.astimezone(UTC) + stack.time_to_live).strftime("%Y-%m-%dT%H:%M:%SZ"))
        for stack in stacks
    )


def with_deployed_expiry(
    stack: "StackConfiguration", deployed: "StackTypeDef | None"
) -> "StackConfiguration":
    """Return a stack with the expiry of the deployed one, so that comparisons do not report a new expiry."""
    expires_at = tags_of(deployed).get(EXPIRES_AT) if deployed else None
    return _expiring(stack, expires_at) if expires_at else stack


def expiry(tags: Mapping[str, str]) -> datetime | None:
    """Return the expiry in the tags of a stack, or None if there is none."""
    try:
        found = datetime.fromisoformat(tags[EXPIRES_AT])
    except (KeyError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def tags_of(stack: "StackTypeDef") -> dict[str, str]:
    """Return the tags of a stack, by key."""
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}


def _expiring(stack: "StackConfiguration", at: str) -> "StackConfiguration":
    return replace(stack, tags={**stack.tags, EXPIRES_AT: at})
