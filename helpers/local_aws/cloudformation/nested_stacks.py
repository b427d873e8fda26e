"""Stacks as resources of a stack, each changed by a change set of its own."""

import uuid
from collections.abc import Mapping
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.utils import get_stack_from_s3_url
from moto.core.common_models import CloudFormationModel

from helpers.local_aws.cloudformation.resources import Mend, Place, Properties, ResourceModel, as_tags

NESTED_STACK = "AWS::CloudFormation::Stack"


# Moto's classes are not typed, so a subclass of them has an Any for its base.
class NestedStack(ResourceModel, CloudFormationModel):  # type: ignore[misc]
    """AWS::CloudFormation::Stack, in place of moto's, whose name is its id and which has no outputs."""

    resource_type = NESTED_STACK

    def __init__(self, name: str, place: Place):
        super().__init__(name)
        self.name, self.place = name, place

    @classmethod
    def create(cls, name: str, _properties: Properties, place: Place) -> "NestedStack":
        """Return the resource; its mend makes the stack."""
        return cls(name, place)

    @property
    def stack(self) -> Any:
        """The stack as moto keeps it, or None before there is one."""
        stacks = cloudformation_backends[self.place.account][self.place.region].stacks
        return stacks.get(self.physical_resource_id)

    def get_cfn_attribute(self, attribute: str) -> Any:
        """Return an output, as `Outputs.<name>`."""
        return self.stack.output_map[attribute.removeprefix("Outputs.")].value


def template_of(properties: Properties, place: Place) -> str:
    """Return the text of a nested stack's template, from S3.

    Raises:
        RuntimeError: its address is none in S3.
    """
    if not properties["TemplateURL"].startswith("https://"):
        raise RuntimeError("TemplateURL must be a supported URL.")
    text: str = get_stack_from_s3_url(properties["TemplateURL"], place.account, place.partition)
    return text


def has_other_template(nested: Any, definition: Mapping[str, Any]) -> bool:
    """Tell whether the template at a nested stack's address is another than the one that it has."""
    return bool(template_of(definition["Properties"], nested.place) != nested.stack.template)


def bring_up_to_date(nested: Any, properties: Properties, place: Place) -> None:
    """Create the stack or update it, and wait for its end."""
    backend = cloudformation_backends[place.account][place.region]
    is_new = nested.stack is None
    change_set_id, stack_id = backend.create_change_set(
        stack_name=nested.name,
        change_set_name=f"nested-{uuid.uuid4()}",
        template=template_of(properties, place),
        parameters={key: _text(value) for key, value in properties.get("Parameters", {}).items()},
        description="",
        change_set_type="CREATE" if is_new else "UPDATE",
        tags=as_tags(properties),
    )
    nested.physical_resource_id = stack_id
    if backend.change_sets[change_set_id].execution_status != "AVAILABLE":
        backend.delete_change_set(change_set_id)
        return
    backend.execute_change_set(change_set_id)
    if "ROLLBACK" in nested.stack.status:
        raise RuntimeError(
            f"Embedded stack {stack_id} was not successfully {'created' if is_new else 'updated'}: "
            f"{_first_reason(nested.stack)}"
        )


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _first_reason(stack: Any) -> str:
    failed = [event for event in stack.events if event.resource_status in {"CREATE_FAILED", "UPDATE_FAILED"}]
    return str(failed[-1].resource_status_reason) if failed else str(stack.status_reason)


def delete_nested(nested: Any, _properties: Properties, place: Place) -> None:
    """Delete the stack, with what is in it."""
    stack = nested.stack
    if stack is None:
        return
    cloudformation_backends[place.account][place.region].delete_stack(stack.stack_id)
    if stack.status == "DELETE_FAILED":
        raise RuntimeError(
            f"Embedded stack {stack.stack_id} was not successfully deleted: {stack.status_reason}"
        )


MENDS = {
    NESTED_STACK: Mend(
        apply=bring_up_to_date,
        delete=delete_nested,
        emulated=frozenset({"Parameters", "Tags", "TemplateURL"}),
        always_updated=True,
    )
}
