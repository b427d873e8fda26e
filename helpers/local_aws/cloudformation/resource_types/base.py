"""The base class of resource types: handlers that create, read, update and delete a resource."""

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
    """The account and region of a stack."""

    account: str
    region: str
    partition: str = "aws"


class Owner(Protocol):
    """The parts of a stack that the handlers of its resources use."""

    stack_id: str
    name: str


@dataclass
class Resource:
    """A resource of a stack.

    Attributes:
        logical_id: the name in the template.
        type_name: such as `AWS::S3::Bucket`.
        stack: the stack of the resource.
        generated_name: the name that CloudFormation generates if the template sets none.
        definition: the part of the template that defines the resource, with functions evaluated.
        properties: the properties of the definition, with the types of the schema and the tags of the stack.
        physical_id: the value of Ref; empty until the resource exists.
        attributes: the values of Fn::GetAtt that the create handler knows.
        model: moto's object, if moto's model of the type created the resource.
        state: values that the handlers keep between calls.
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
        """The tags by key."""
        return {tag["Key"]: str(tag["Value"]) for tag in self.properties.get("Tags", [])}

    @property
    def system_tags(self) -> dict[str, str]:
        """The tags that CloudFormation adds to resources."""
        return {
            "aws:cloudformation:logical-id": self.logical_id,
            "aws:cloudformation:stack-id": self.stack.stack_id,
            "aws:cloudformation:stack-name": self.stack.name,
        }


class ResourceType:
    """A resource type in an account and region.

    Attributes:
        type_name: the type in templates.
        emulated: the properties that have an effect, or `Property.Part` if only a part of one has. Events of
            the stack list the other properties that a template sets. None if this is not known.
        importable: whether a stack can import an existing resource, which `adopt` finds.
        always_updated: whether a stack update calls the update handler even if no property changes.
    """

    type_name: ClassVar[str] = ""
    emulated: ClassVar[frozenset[str] | None] = None
    importable: ClassVar[bool] = False
    always_updated: ClassVar[bool] = False

    def __init__(self, place: AccountRegion):
        self.place = place

    @classmethod
    def schema(cls) -> ResourceSchema | None:
        """Return the schema of the type, or None if it is not available."""
        return schema_of(cls.type_name)

    def create(self, resource: Resource) -> None:
        """Create the resource; set its physical ID, and its attributes unless `attribute` looks them up."""
        raise NotImplementedError

    def read(self, resource: Resource) -> Properties | None:
        """Return the current properties that can be read, or None if the resource does not exist."""
        raise NotImplementedError

    def update(self, resource: Resource, before: Properties) -> None:
        """Apply changed properties in place."""
        raise NotImplementedError

    def delete(self, resource: Resource) -> None:
        """Delete the resource."""
        raise NotImplementedError

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return the value of Fn::GetAtt; raise KeyError if the type has no such attribute."""
        return resource.attributes[name]

    def adopt(self, resource: Resource) -> bool:
        """Find the resource with the given physical ID; return whether it exists."""
        raise NotImplementedError

    def may_stay(self, before: Properties, after: Properties) -> bool:
        """Return whether a change of conditionally create-only properties is made in place."""
        return False

    def differs_beyond_properties(self, resource: Resource, properties: Properties) -> bool:
        """Return whether an update would change something although the properties are equal."""
        return False

    @classmethod
    def can_be_read(cls) -> bool:
        """Return whether drift can be detected."""
        return cls.read is not ResourceType.read


def as_text(document: Any) -> str:
    """Return a policy document as text, which services store."""
    return document if isinstance(document, str) else json.dumps(document)
