"""Types that have no class of their own here: as moto's own models make them, or without any effect."""

from collections.abc import Mapping
from typing import Any

from moto.cloudformation.custom_model import CustomModel
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.cloudformation.parsing import get_model_map
from moto.ec2.models import ec2_backends
from moto.ec2.models.core import TaggedEC2Resource

from helpers.local_aws.cloudformation.resource_types.base import (
    AccountRegion,
    Properties,
    Resource,
    ResourceType,
)


class MotoModel(ResourceType):
    """A type that is as moto has it; which of its properties have an effect is not known."""

    def __init__(self, place: AccountRegion, model: Any):
        super().__init__(place)
        self._model = model

    def create(self, resource: Resource) -> None:
        """Create the resource by moto's model."""
        resource.model = self._model.create_from_cloudformation_json(
            self._name(resource),
            self._definition(resource, resource.properties),
            self.place.account,
            self.place.region,
            LogicalId=resource.logical_id,
            StackId=resource.stack.stack_id,
            ResourceType=resource.type_name,
        )
        resource.physical_id = self._physical_id(resource)
        if isinstance(resource.model, TaggedEC2Resource):
            backend = ec2_backends[self.place.account][self.place.region]
            backend.create_tags([resource.physical_id], resource.system_tags)

    def update(self, resource: Resource, before: Properties) -> None:
        """Update the resource as moto's model does, which may make another one of it."""
        update = self._model.update_from_cloudformation_json
        if hasattr(update, "__isabstractmethod__"):
            raise NotImplementedError
        updated = update(
            original_resource=resource.model,
            new_resource_name=self._name(resource),
            cloudformation_json=self._definition(resource, resource.properties),
            account_id=self.place.account,
            region_name=self.place.region,
        )
        if updated is not None:
            resource.model = updated
            resource.physical_id = self._physical_id(resource)

    def delete(self, resource: Resource) -> None:
        """Delete the resource as moto's model does, if it does."""
        definition = self._definition(resource, resource.properties)
        if callable(delete := getattr(resource.model, "delete", None)):
            delete(self.place.account, self.place.region)
        elif not hasattr(self._model.delete_from_cloudformation_json, "__isabstractmethod__"):
            self._model.delete_from_cloudformation_json(
                resource.physical_id, definition, self.place.account, self.place.region
            )

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return what moto's model has, or a stand-in for what it only knows the name of."""
        try:
            return resource.model.get_cfn_attribute(name)
        except UnformattedGetAttTemplateException as error:
            raise KeyError(name) from error
        except NotImplementedError:
            return f"{resource.physical_id}.{name}"

    def _physical_id(self, resource: Resource) -> str:
        # Not all models know their own.
        return str(getattr(resource.model, "physical_resource_id", None) or self._name(resource))

    def _name(self, resource: Resource) -> str:
        named = self._model.cloudformation_name_type()
        return str(resource.properties.get(named) or resource.generated_name)

    def _definition(self, resource: Resource, properties: Properties) -> Mapping[str, Any]:
        return {"Type": resource.type_name, "Properties": dict(properties)}


class NotEmulated(ResourceType):
    """A type of AWS that nothing here knows: its resources are entries in their stack, without any effect."""

    emulated = frozenset()

    def create(self, resource: Resource) -> None:
        """Give the resource a name."""
        resource.physical_id = resource.generated_name

    def update(self, resource: Resource, before: Properties) -> None:
        """Change nothing."""

    def delete(self, resource: Resource) -> None:
        """Delete nothing."""

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return a stand-in, so that what refers to the resource can be deployed."""
        return f"{resource.physical_id}.{name}"


def other_type(type_name: str, place: AccountRegion) -> ResourceType:
    """Return a type that has no class of its own."""
    model = CustomModel if type_name.startswith("Custom::") else get_model_map().get(type_name)
    return NotEmulated(place) if model is None else MotoModel(place, model)
