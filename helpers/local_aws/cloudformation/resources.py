"""How a type of resource is brought to life beyond what moto does: models of types of its own, and mends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """The account and region that a stack lives in."""

    account: str
    region: str
    partition: str = "aws"


def properties_of(kept: Any, **attributes: str) -> Mapping[str, Any] | None:
    """Return attributes of what moto keeps of a resource as its properties, or None where it is gone."""
    if kept is None:
        return None
    return {name: attrgetter(attribute)(kept) for name, attribute in attributes.items()}


@dataclass(frozen=True)
class Mend:
    """What moto lacks for one type of resource.

    Attributes:
        apply: gives the properties their effect, after the creation and at every update.
        delete: deletes the resource, where moto does not or in another way.
        create_only: properties whose change makes CloudFormation replace the resource.
        emulated: the properties that have an effect, or `Property.Part` where not all of one has; what a
            template sets beyond them is said at deployment. None where that has not been looked at.
        always_updated: an update of the stack reaches the resource also when its properties are the same.
    """

    apply: Callable[[Any, Properties, Place], None] | None = None
    delete: Callable[[Any, Properties, Place], None] | None = None
    create_only: frozenset[str] = frozenset()
    emulated: frozenset[str] | None = None
    always_updated: bool = False


class ResourceModel:
    """A type of resource that moto's CloudFormation does not know, or does not make.

    Moto finds direct subclasses of its own CloudFormationModel, so a type derives from this and from that.
    """

    resource_type: ClassVar[str]

    def __init__(self, physical_resource_id: str, **attributes: Any):
        self.physical_resource_id = physical_resource_id
        self.attributes = attributes

    @classmethod
    def create(cls, name: str, properties: Properties, place: Place) -> "ResourceModel":
        """Create the resource; `name` is the one that CloudFormation makes up for it."""
        raise NotImplementedError  # no abstract method: moto's classes have a metaclass of their own

    def get_cfn_attribute(self, attribute: str) -> Any:
        """Return what Fn::GetAtt asks for."""
        return self.attributes[attribute]

    @classmethod
    def has_cfn_attr(cls, _attribute: str) -> bool:
        """Leave it to `get_cfn_attribute`: attributes belong to resources, not to types."""
        return True

    @classmethod
    def cloudformation_type(cls) -> str:
        """The type in templates."""
        return cls.resource_type

    @staticmethod
    def cloudformation_name_type() -> str:
        """There is no property that moto needs to know as the name."""
        return ""

    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, definition: dict[str, Any], account: str, region: str, **_: Any
    ) -> "ResourceModel":
        """Create the resource as moto asks for it."""
        return cls.create(name, definition.get("Properties", {}), Place(account, region))


def as_tags(properties: Properties) -> dict[str, str]:
    """Return the Tags of a resource as names and values."""
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
