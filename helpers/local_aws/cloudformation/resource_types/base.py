"""What a type of resource is: handlers that create, read, update and delete a resource."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from helpers.local_aws.cloudformation.schemas import ResourceSchema, schema_of

Properties = Mapping[str, Any]
Definition = Mapping[str, Any]


@dataclass(frozen=True)
class AccountRegion:
    """The account and region that a stack lives in."""

    account: str
    region: str
    partition: str = "aws"


class Owner(Protocol):
    """The stack of a resource, as far as its handlers need it."""

    stack_id: str
    name: str


@dataclass
class Resource:
    """A resource of a stack.

    Attributes:
        logical_id: its name in the template.
        type_name: `AWS::S3::Bucket`
        stack: the stack that it belongs to.
        generated_name: the name that CloudFormation makes up for it, where the template gives none.
        definition: its part of the template, with functions evaluated.
        properties: those of the definition as its type takes them, with the stack's tags.
        physical_id: what Ref gives; empty as long as it is not there.
        attributes: what Fn::GetAtt gives, as the create handler knows it.
        model: moto's object, where moto's own model of the type has made the resource.
        state: what the handlers keep of it between two calls.
    """

    logical_id: str
    type_name: str
    stack: Owner
    generated_name: str
    definition: Definition = field(default_factory=dict)
    properties: Properties = field(default_factory=dict)
    physical_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    model: Any = None
    state: dict[str, Any] = field(default_factory=dict)
    status: str = ""
    status_reason: str | None = None
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def tags(self) -> dict[str, str]:
        """The tags by their keys."""
        return {tag["Key"]: str(tag["Value"]) for tag in self.properties.get("Tags", [])}

    @property
    def system_tags(self) -> dict[str, str]:
        """The tags that CloudFormation itself puts on resources."""
        return {
            "aws:cloudformation:logical-id": self.logical_id,
            "aws:cloudformation:stack-id": self.stack.stack_id,
            "aws:cloudformation:stack-name": self.stack.name,
        }


class ResourceType:
    """One type of resource in one place.

    Attributes:
        type_name: the type in templates.
        emulated: the properties that have an effect, or `Property.Part` where not all of one has; what a
            template sets beyond them is named in the stack's events. None where that is not known.
        importable: a stack can take over a resource that is there: `adopt` finds it.
        always_updated: an update of the stack reaches the resource also when its properties are the same.
    """

    type_name: ClassVar[str] = ""
    emulated: ClassVar[frozenset[str] | None] = None
    importable: ClassVar[bool] = False
    always_updated: ClassVar[bool] = False

    def __init__(self, place: AccountRegion):
        self.place = place

    @classmethod
    def schema(cls) -> ResourceSchema | None:
        """Return the type's schema, or None where there is none here."""
        return schema_of(cls.type_name)

    def create(self, resource: Resource) -> None:
        """Create the resource; set its physical ID, and its attributes unless `attribute` looks them up."""
        raise NotImplementedError

    def read(self, resource: Resource) -> Properties | None:
        """Return the properties that can be read, as they are now, or None where the resource is gone."""
        raise NotImplementedError

    def update(self, resource: Resource, before: Properties) -> None:
        """Give changed properties their effect, in place."""
        raise NotImplementedError

    def delete(self, resource: Resource) -> None:
        """Delete the resource."""
        raise NotImplementedError

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return what Fn::GetAtt gives; raise KeyError where the type has no such attribute."""
        return resource.attributes[name]

    def adopt(self, resource: Resource) -> bool:
        """Find the resource with the given physical ID; return whether it is there."""
        raise NotImplementedError

    def may_stay(self, before: Properties, after: Properties) -> bool:
        """Return whether a change of conditionally create-only properties is made in place."""
        return False

    def differs_beyond_properties(self, resource: Resource, properties: Properties) -> bool:
        """Return whether an update would change something though the properties are the same."""
        return False

    @classmethod
    def can_be_read(cls) -> bool:
        """Return whether drift can be detected."""
        return cls.read is not ResourceType.read


def as_text(document: Any) -> str:
    """Return a policy document as the text that services keep."""
    return document if isinstance(document, str) else json.dumps(document)
