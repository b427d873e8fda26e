"""AWS::CloudFormation: nested stacks, each updated with its own change set."""

import uuid
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.utils import get_stack_from_s3_url

from helpers.local_aws.cloudformation.resource_types.base import (
    AccountRegion,
    Properties,
    Resource,
    ResourceType,
)
from helpers.local_aws.cloudformation.templates.functions import Unknown


class NestedStack(ResourceType):
    """AWS::CloudFormation::Stack."""

    type_name = "AWS::CloudFormation::Stack"
    always_updated = True
    emulated = frozenset({"Parameters", "Tags", "TemplateURL"})

    @property
    def _backend(self) -> Any:
        return cloudformation_backends[self.place.account][self.place.region]

    def create(self, resource: Resource) -> None:
        """Create the stack, and wait until it is complete."""
        self._deploy_nested(resource, "CREATE")

    def update(self, resource: Resource, before: Properties) -> None:
        """Update the stack, and wait until it is complete."""
        self._deploy_nested(resource, "UPDATE")

    def delete(self, resource: Resource) -> None:
        """Delete the stack with its resources."""
        stack = self._backend.stacks.get(resource.physical_id)
        if stack is None:
            return
        self._backend.delete_stack(stack.stack_id)
        if stack.status == "DELETE_FAILED":
            raise RuntimeError(
                f"Embedded stack {stack.stack_id} was not successfully deleted: {stack.status_reason}"
            )

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return an output, with the name `Outputs.<name>`."""
        outputs = self._backend.stacks[resource.physical_id].outputs
        return {f"Outputs.{each['OutputKey']}": each["OutputValue"] for each in outputs}[name]

    def differs_beyond_properties(self, resource: Resource, properties: Properties) -> bool:
        """Return whether the template at TemplateURL differs from the deployed one."""
        stack = self._backend.stacks.get(resource.physical_id)
        if stack is None or isinstance(properties["TemplateURL"], Unknown):
            return False
        return bool(_template(properties, self.place) != stack.template)

    def _deploy_nested(self, resource: Resource, kind: str) -> None:
        properties, backend = resource.properties, self._backend
        name = resource.generated_name if kind == "CREATE" else backend.stacks[resource.physical_id].name
        change_set_id, resource.physical_id = backend.create_change_set(
            stack_name=name,
            change_set_name=f"nested-{uuid.uuid4()}",
            template=_template(properties, self.place),
            parameters={key: _text(value) for key, value in properties.get("Parameters", {}).items()},
            description="",
            change_set_type=kind,
            tags=resource.tags,
        )
        if backend.change_sets[change_set_id].execution_status != "AVAILABLE":
            backend.delete_change_set(change_set_id)
            return
        backend.execute_change_set(change_set_id)
        stack = backend.stacks[resource.physical_id]
        if "ROLLBACK" in stack.status:
            done = "created" if kind == "CREATE" else "updated"
            raise RuntimeError(
                f"Embedded stack {stack.stack_id} was not successfully {done}: {stack.first_failure()}"
            )


def _template(properties: Properties, place: AccountRegion) -> str:
    if not properties["TemplateURL"].startswith("https://"):
        raise RuntimeError("TemplateURL must be a supported URL.")
    text: str = get_stack_from_s3_url(properties["TemplateURL"], place.account, place.partition)
    return text


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
