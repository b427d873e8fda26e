"""The resource types with handlers of their own: one module per service, one class per type.

The classes of all modules in this package are registered; see CONTRIBUTING.md for how to add one.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from helpers.local_aws.cloudformation.resource_types.base import AccountRegion, ResourceType
from helpers.local_aws.cloudformation.resource_types.moto_model import other_type


def _registered() -> dict[str, type[ResourceType]]:
    members = [
        member
        for module in iter_modules(__path__)
        for member in vars(import_module(f"{__name__}.{module.name}")).values()
    ]
    return {
        member.type_name: member
        for member in members
        if isinstance(member, type) and issubclass(member, ResourceType) and member.type_name
    }


RESOURCE_TYPES: Mapping[str, type[ResourceType]] = _registered()


def resource_type(type_name: str, place: AccountRegion) -> ResourceType:
    """Return a resource type by name."""
    known = RESOURCE_TYPES.get(type_name)
    return other_type(type_name, place) if known is None else known(place)
