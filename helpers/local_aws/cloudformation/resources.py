"""How a type of resource is brought to life beyond what moto does: the mends, and where they are found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """The account and region that a stack lives in."""

    account: str
    region: str
    partition: str = "aws"


@dataclass(frozen=True)
class Mend:
    """What moto lacks for one type of resource.

    Attributes:
        apply: gives the properties their effect, after the creation and at every update.
        delete: deletes the resource, where moto does not or in another way.
        create_only: properties whose change makes CloudFormation replace the resource.
        emulated: the properties that have an effect; what a template sets beyond them is said at deployment.
            None where that has not been looked at.
    """

    apply: Callable[[Any, Properties, Place], None] | None = None
    delete: Callable[[Any, Properties, Place], None] | None = None
    create_only: frozenset[str] = frozenset()
    emulated: frozenset[str] | None = None


def as_tags(properties: Properties) -> dict[str, str]:
    """Return the Tags of a resource as names and values."""
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
