"""Change sets of type IMPORT, which moto does not know: a stack takes over resources that are there.

As on AWS nothing of a resource changes by that. From then on the stack holds for true what the template says
of it, and an update brings what differs from that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import clean_json
from moto.cloudformation.responses import CloudFormationResponse
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends

from helpers.local_aws.cloudformation import deployment
from helpers.local_aws.cloudformation.differences import Change
from helpers.local_aws.cloudformation.resources import Place
from helpers.local_aws.cloudformation.stack_resources import add_event, definitions_of

_create_change_set = CloudFormationResponse.create_change_set


@dataclass(frozen=True)
class Importable:
    """A type that can be imported: the property that identifies a resource of it, and how to find one."""

    identifier: str
    find: Callable[[str, Place], Any]


def _bucket(name: str, place: Place) -> Any:
    return s3_backends[place.account][place.partition].buckets.get(name)


def _key(key_id: str, place: Place) -> Any:
    key = kms_backends[place.account][place.region].keys.get(key_id)
    return None if key is None or key.key_state == "PendingDeletion" else key


IMPORTABLE = {
    "AWS::KMS::Key": Importable("KeyId", _key),
    "AWS::S3::Bucket": Importable("BucketName", _bucket),
}


def know_imports() -> None:
    """Have moto's API read what a change set is to import."""
    CloudFormationResponse.create_change_set = create_change_set


def create_change_set(response: Any) -> Any:
    """Create a change set; one of type IMPORT is checked as AWS does, and knows what it is to import."""
    if response._get_param("ChangeSetType") != "IMPORT":
        return _create_change_set(response)
    wanted = response._get_param("ResourcesToImport", [])
    if not wanted:
        raise ValidationError(message="Must Provide at least one resource to import")
    answer = _create_change_set(response)
    change_set = response.cloudformation_backend.change_sets[answer.result["Id"]]
    try:
        refuse_other_changes(change_set, wanted)
    except ValidationError:
        _withdraw(response.cloudformation_backend, change_set)
        raise
    change_set.changes = [
        Change("Import", each["LogicalResourceId"], each["ResourceType"], _physical_id(each))
        for each in wanted
    ]
    reason = _impossible(change_set)
    change_set.status = "FAILED" if reason else "CREATE_COMPLETE"
    change_set.execution_status = "UNAVAILABLE" if reason else "AVAILABLE"
    change_set.status_reason = reason
    return answer


def _physical_id(wanted: Mapping[str, Any]) -> str:
    return str(wanted["ResourceIdentifier"][IMPORTABLE[wanted["ResourceType"]].identifier])


def refuse_other_changes(change_set: Any, wanted: list[Mapping[str, Any]]) -> None:
    """Raise a ValidationError, in AWS's words, unless a change set does nothing but import resources."""
    declared, before = change_set.template_dict.get("Resources", {}), change_set.stack.template_dict
    for each in wanted:
        name, said = each["LogicalResourceId"], each["ResourceType"]
        _refuse(
            name not in declared,
            f"The logical resource ids [{name}] provided in ResourceToImport do not exist in the template.",
        )
        _refuse(
            declared[name]["Type"] != said,
            f"Resource type of [{name}] passed in ResourceToImport does not match with resource type defined "
            f"in the template. Resource type in ResourceToImport: {said}; Resource type in Template: "
            f"{declared[name]['Type']}.",
        )
        _refuse(said not in IMPORTABLE, f"ResourceTypes [{said}] are not supported for Import")
        key = IMPORTABLE[said].identifier
        _refuse(
            set(each.get("ResourceIdentifier", {})) != {key},
            f"Invalid resource identifier for resource type {said}. Expected [{key}]",
        )
    names = [each["LogicalResourceId"] for each in wanted]
    added = [each.logical_resource_id for each in change_set.changes if each.action == "Add"]
    modified = [each.logical_resource_id for each in change_set.changes if each.action != "Add"]
    known = [name for name in names if name not in added]
    missing = [name for name in added if name not in names]
    unprotected = [name for name in names if "DeletionPolicy" not in declared[name]]
    _refuse(
        known,
        f"Resources {_listed(known)} passed in ResourceToImport are already in a stack and cannot be "
        "imported.",
    )
    _refuse(missing, f"Resources {_listed(missing)} is missing from ResourceToImport list")
    _refuse(
        modified,
        f"You have modified resources {_listed(modified)} in your template that are not being imported. "
        "Update, create or delete operations cannot be executed during import operations.",
    )
    _refuse(
        unprotected,
        f"The following resources to import {_listed(unprotected)} must have DeletionPolicy attribute "
        "specified in the template.",
    )
    _refuse(
        change_set.template_dict.get("Outputs", {}) != before.get("Outputs", {}),
        "As part of the import operation, you cannot modify or add [Outputs]",
    )


def _refuse(problem: object, message: str) -> None:
    if problem:
        raise ValidationError(message=message)


def _listed(names: list[str]) -> str:
    return f"[{', '.join(names)}]"


def _withdraw(backend: Any, change_set: Any) -> None:
    """Take a refused change set away, and the stack that moto has made for it."""
    del backend.change_sets[change_set.change_set_id]
    others = [each for each in backend.change_sets.values() if each.stack_id == change_set.stack_id]
    if change_set.stack.status == "REVIEW_IN_PROGRESS" and not others:
        del backend.stacks[change_set.stack_id]


def _impossible(change_set: Any) -> str | None:
    """Return why AWS fails a change set once it has looked its resources up, or None."""
    stack = change_set.stack
    place = Place(stack.account_id, stack.region_name)
    for change in change_set.changes:
        type_, found = change.resource_type, change.physical_resource_id
        if IMPORTABLE[type_].find(found, place) is None:
            return f"Resource of type '{type_}' with identifier '{found}' was not found."
        if owner := _owner(stack, type_, found):
            return f"{found} already exists in stack {owner}"
    return None


def _owner(stack: Any, type_: str, found: str) -> str | None:
    for other in cloudformation_backends[stack.account_id][stack.region_name].stacks.values():
        for name, definition in definitions_of(other.resource_map).items():
            resource = other.resource_map._parsed_resources.get(name)
            if definition["Type"] == type_ and getattr(resource, "physical_resource_id", None) == found:
                return str(other.stack_id)
    return None


def adopt(change_set: Any) -> None:
    """Execute a change set of type IMPORT: the stack takes its resources over as they are."""
    stack, template = change_set.stack, change_set.template_dict
    resources, place = stack.resource_map, Place(stack.account_id, stack.region_name)
    deployment.set_status(stack, "IMPORT_IN_PROGRESS", "User Initiated")
    if reason := _impossible(change_set):
        for change in change_set.changes:
            definition = template["Resources"][change.logical_resource_id]
            add_event(stack, change.logical_resource_id, definition, "IMPORT_FAILED", reason)
        deployment.set_status(stack, "IMPORT_ROLLBACK_IN_PROGRESS", reason)
        deployment.set_status(stack, "IMPORT_ROLLBACK_COMPLETE")
        return
    deployment._load(stack, template, change_set.parameters)
    for change in change_set.changes:
        name = change.logical_resource_id
        definition = clean_json(template["Resources"][name], resources)
        resource = IMPORTABLE[change.resource_type].find(change.physical_resource_id, place)
        resource.cf_resource_type, resource.logical_resource_id = change.resource_type, name
        add_event(stack, name, definition, "IMPORT_IN_PROGRESS", "Resource import started.", resource)
        resources._parsed_resources[name] = resource
        definitions_of(resources)[name] = definition
        add_event(stack, name, definition, "IMPORT_COMPLETE", "Resource import completed.", resource)
    stack.output_map = stack._create_output_map()
    deployment.set_status(stack, "IMPORT_COMPLETE")
