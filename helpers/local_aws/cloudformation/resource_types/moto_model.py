"""Resource types without a class of their own: created by moto's model, or without any effect."""

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
    """A type that moto creates; which of its properties have an effect is not known."""

    def __init__(self, place: AccountRegion, model: Any):
        super().__init__(place)
        self._model = model

    def create(self, resource: Resource) -> None:
        """Create the resource with moto's model."""
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
        """Update the resource with moto's model, which may replace it."""
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
        """Delete the resource with moto's model, if the model can delete."""
        definition = self._definition(resource, resource.properties)
        if callable(delete := getattr(resource.model, "delete", None)):
            delete(self.place.account, self.place.region)
        elif not hasattr(self._model.delete_from_cloudformation_json, "__isabstractmethod__"):
            self._model.delete_from_cloudformation_json(
                resource.physical_id, definition, self.place.account, self.place.region
            )

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return an attribute of moto's model, or a placeholder if moto does not provide it."""
        try:
            return resource.model.get_cfn_attribute(name)
        except UnformattedGetAttTemplateException as error:
            raise KeyError(name) from error
        except NotImplementedError:
            return f"{resource.physical_id}.{name}"

    def _physical_id(self, resource: Resource) -> str:
        # Not all models know their physical ID.
        return str(getattr(resource.model, "physical_resource_id", None) or self._name(resource))

    def _name(self, resource: Resource) -> str:
        named = self._model.cloudformation_name_type()
        return str(resource.properties.get(named) or resource.generated_name)

    def _definition(self, resource: Resource, properties: Properties) -> Mapping[str, Any]:
        return {"Type": resource.type_name, "Properties": dict(properties)}


class NotEmulated(ResourceType):
    """An AWS type that is not emulated: its resources are recorded in the stack without any effect."""

    emulated = frozenset()

    def create(self, resource: Resource) -> None:
        """Set the physical ID."""
        resource.physical_id = resource.generated_name

    def update(self, resource: Resource, before: Properties) -> None:
        """Change nothing."""

    def delete(self, resource: Resource) -> None:
        """Delete nothing."""

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return a placeholder, so that resources that refer to this one can be deployed."""
        return f"{resource.physical_id}.{name}"


def other_type(type_name: str, place: AccountRegion) -> ResourceType:
    """Return a type without a class of its own."""
    model = CustomModel if type_name.startswith("Custom::") else get_model_map().get(type_name)
    return NotEmulated(place) if model is None else MotoModel(place, model)
