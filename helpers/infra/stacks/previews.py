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
    """Return stacks as a deployment at this moment has them: those of a preview expire some days later."""
    return tuple(
        stack
        if stack.time_to_live is None
        else _expiring(stack, (now.astimezone(UTC) + stack.time_to_live).strftime("%Y-%m-%dT%H:%M:%SZ"))
        for stack in stacks
    )


def with_deployed_expiry(
    stack: "StackConfiguration", deployed: "StackTypeDef | None"
) -> "StackConfiguration":
    """Return a stack that expires when the deployed one does, so that a comparison sees no time pass."""
    expires_at = tags_of(deployed).get(EXPIRES_AT) if deployed else None
    return _expiring(stack, expires_at) if expires_at else stack


def expiry(tags: Mapping[str, str]) -> datetime | None:
    """Return when a stack with these tags expires, or None if they set no time."""
    try:
        found = datetime.fromisoformat(tags[EXPIRES_AT])
    except (KeyError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def tags_of(stack: "StackTypeDef") -> dict[str, str]:
    """Return the tags of a stack by their keys."""
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}


def _expiring(stack: "StackConfiguration", at: str) -> "StackConfiguration":
    return replace(stack, tags={**stack.tags, EXPIRES_AT: at})
