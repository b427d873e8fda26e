"""Change sets and stacks as CloudFormation's API has them, in place of moto's."""

import json
import threading
from collections.abc import Mapping
from typing import Any

import yaml
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import yaml_tag_constructor
from moto.core.responses import ActionResult

from helpers.local_aws.cloudformation import deployment
from helpers.local_aws.cloudformation.differences import differences
from helpers.local_aws.cloudformation.imports import adopt
from helpers.local_aws.cloudformation.templates import by_name, expand, parameter_problem, with_defaults

NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)

_NOT_TO_BE_UPDATED = frozenset(
    {"DELETE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED"}
)

_claiming = threading.Lock()
"""Of two requests that come at once, one finds what the other has made or begun, as at the service."""

_clean_json = parsing.clean_json
_create_change_set = CloudFormationBackend.create_change_set
_delete_change_set = CloudFormationBackend.delete_change_set
_get_template = CloudFormationResponse.get_template
_validate_different_update = CloudFormationResponse._validate_different_update


class InvalidChangeSetStatus(CloudFormationError):  # type: ignore[misc] # noqa: N818 - moto is not typed; AWS's name
    """A change set is executed that is not, or no longer, to be executed."""

    code = "InvalidChangeSetStatus"


class ChangeSetNotFound(CloudFormationError):  # type: ignore[misc] # noqa: N818 - moto is not typed; AWS's name
    """There is no such change set."""

    code = "ChangeSetNotFound"


def mend_stacks_and_change_sets() -> None:
    """Put the functions below in the place of moto's."""
    parsing.clean_json = clean_json
    Stack.parse_template = staticmethod(parse_template)
    ChangeSet._parse_template = _parse_template_of_change_set
    ChangeSet.diff = lambda _change_set: []
    # Moto's comparison reads the stack's own template anew, without its parameters, and keeps that.
    Stack.has_template = lambda _stack, _template: False
    CloudFormationBackend.create_change_set = create_change_set
    CloudFormationBackend.describe_change_set = find_change_set
    CloudFormationBackend.delete_change_set = delete_change_set
    CloudFormationBackend.execute_change_set = execute_change_set
    CloudFormationBackend.delete_stack = delete_stack
    Stack.update = update_stack
    Stack.create_resources = lambda stack: deployment.create(stack, stack.template_dict, stack.parameters)
    Stack.stack_resources = property(deployment.resources_of)
    CloudFormationResponse.get_template = get_template
    CloudFormationResponse.list_change_sets = list_change_sets

    CloudFormationResponse._validate_different_update = _allow_empty_change_sets


def clean_json(part: Any, resources: Any) -> Any:
    """Moto leaves a hole in a list where AWS::NoValue stands, and splits `Outputs.Name` of a nested stack."""
    match part:
        case {"Fn::GetAtt": [name, first, *rest]} if rest:
            part = {"Fn::GetAtt": [name, ".".join([first, *rest])]}
    cleaned = _clean_json(part, resources)
    return [item for item in cleaned if item is not None] if isinstance(part, list) else cleaned


class _Loader(yaml.CSafeLoader):
    """Reads YAML with CloudFormation's short forms as moto does, but in C, ten times as fast."""


_Loader.add_multi_constructor("", yaml_tag_constructor)


def _parse_template(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.MarkedYAMLError:
        return json.loads(text)  # JSON may be indented with tabs, YAML may not


def parse_template(text: str, parameters: Mapping[str, str] | None = None) -> Any:
    """Moto knows no AWS::LanguageExtensions and no !Condition, and makes numbers of parameters."""
    template = _parse_template(text)
    for rule in template.get("Parameters", {}).values():
        rule["Type"] = "String" if rule.get("Type") == "Number" else rule.get("Type", "String")
    if "Conditions" in template:
        template["Conditions"] = by_name(template["Conditions"])
    transformed = template.get("Transform") == "AWS::LanguageExtensions"
    return expand(template, parameters) if transformed else template


def _parse_template_of_change_set(change_set: Any) -> None:
    change_set.template_dict = parse_template(change_set.template, change_set.parameters)


def _allow_empty_change_sets(response: Any, *arguments: Any) -> None:
    """Moto answers an empty change set with the error of UpdateStack; AWS makes one that has failed."""
    if response._get_action() != "CreateChangeSet":
        _validate_different_update(response, *arguments)


def create_change_set(backend: Any, **request: Any) -> tuple[str, str]:
    """Moto checks no parameters, and makes a second stack where one waits for its first change set.

    Its changes have neither replacements nor properties, its comparison sees no tags.
    """
    name = request["stack_name"]
    declared = _parse_template(request["template"])
    if problem := parameter_problem(declared, request["parameters"]):
        raise ValidationError(message=problem)
    # Moto takes the default of a list for a text.
    request["parameters"] = with_defaults(declared, request["parameters"])
    try:
        template = parse_template(request["template"], request["parameters"])
    except LookupError as error:
        raise ValidationError(message=str(error)) from error
    with _claiming:
        existing = next((stack for stack in backend.stacks.values() if stack.name == name), None)
        if existing is not None:
            _refuse_if_not_allowed(existing, **request)
        change_set_id, stack_id = _create_change_set(backend, **request)
        change_set = backend.change_sets[change_set_id]
        if existing is not None and stack_id != existing.stack_id:
            del backend.stacks[stack_id]
            stack_id, change_set.stack, change_set.stack_id = existing.stack_id, existing, existing.stack_id
    change_set.stack.resource_map.cross_stack_resources = backend.exports
    tags = request["tags"] or {}
    change_set.changes, any_change = differences(change_set.stack, template, request["parameters"], tags)
    if request["change_set_type"] == "UPDATE":
        change_set.status = "CREATE_COMPLETE" if any_change else "FAILED"
        change_set.execution_status = "AVAILABLE" if any_change else "UNAVAILABLE"
        change_set.status_reason = None if any_change else NO_CHANGES
    return change_set_id, stack_id


def _refuse_if_not_allowed(stack: Any, **request: Any) -> None:
    in_review = stack.status == "REVIEW_IN_PROGRESS"
    if request["change_set_type"] == "CREATE" and not in_review:
        text = f"Stack [{stack.name}] already exists and cannot be created again with the changeSet "
        raise ValidationError(message=text + f"[{request['change_set_name']}]")
    not_to_be_updated = stack.status in _NOT_TO_BE_UPDATED or stack.status.endswith("_IN_PROGRESS")
    waits_for_import = request["change_set_type"] == "IMPORT" and in_review
    if request["change_set_type"] != "CREATE" and not_to_be_updated and not waits_for_import:
        text = f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
        raise ValidationError(message=text)


def list_change_sets(response: Any) -> Any:
    """Moto lists the change sets of all stacks."""
    stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))
    change_sets = response.cloudformation_backend.change_sets.values()
    return ActionResult({"Summaries": [each for each in change_sets if each.stack_id == stack.stack_id]})


def get_template(response: Any) -> Any:
    """Moto does not know the processed template."""
    if response._get_param("TemplateStage") != "Processed":
        return _get_template(response)
    stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))
    return ActionResult({"TemplateBody": json.dumps(deployment.processed_template(stack))})


def find_change_set(backend: Any, change_set_name: str) -> Any:
    """Moto says of a change set that it does not find that the stack does not exist."""
    for change_set_id, change_set in backend.change_sets.items():
        if change_set_name in {change_set_id, change_set.change_set_name}:
            return change_set
    raise ChangeSetNotFound(f"ChangeSet [{change_set_name}] does not exist")


def delete_change_set(backend: Any, change_set_name: str) -> None:
    """Moto stumbles over a change set that is gone; AWS says nothing."""
    try:
        change_set = find_change_set(backend, change_set_name)
    except ChangeSetNotFound:
        return
    _delete_change_set(backend, change_set.change_set_id)


def execute_change_set(backend: Any, change_set_name: str, stack_name: str | None = None) -> None:
    """Moto loses outputs and exports, executes anything any number of times and stays where it fails."""
    del stack_name  # moto finds change sets by their name alone
    change_set = find_change_set(backend, change_set_name)
    with _claiming:
        if change_set.execution_status != "AVAILABLE":
            text = f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status of "
            raise InvalidChangeSetStatus(text + f"[{change_set.execution_status}]")
        for other in backend.change_sets.values():
            if other.stack_id == change_set.stack_id:
                other.execution_status = "OBSOLETE"
        change_set.execution_status = "EXECUTE_COMPLETE"
    stack = backend.stacks[change_set.stack_id]
    stack.tags = dict(change_set.tags or {})
    stack.cross_stack_resources = stack.resource_map.cross_stack_resources = backend.exports
    exported = {export.name for export in stack.exports}
    if change_set.change_set_type == "IMPORT":
        adopt(change_set)
    else:
        run = deployment.create if change_set.change_set_type == "CREATE" else deployment.update
        run(stack, change_set.template_dict, change_set.parameters)
    if not stack.status.endswith("ROLLBACK_COMPLETE"):
        stack.template = change_set.template
        _export(backend, stack, exported)


def update_stack(
    stack: Any,
    template: str,
    role_arn: str | None = None,
    parameters: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
) -> None:
    """UpdateStack without a change set, by the same way."""
    stack.template, stack.role_arn = template, role_arn
    stack.tags = stack.tags if tags is None else tags
    given = stack.parameters if parameters is None else parameters
    deployment.update(stack, parse_template(template, given), given)


def _export(backend: Any, stack: Any, before: set[str]) -> None:
    for name in before:
        backend.exports.pop(name, None)
    backend.exports.update({export.name: export for export in stack.exports})


def delete_stack(backend: Any, name_or_stack_id: str) -> None:
    """Moto deletes in the order of the text, and drops a stack whose resources it could not delete."""
    stack = next((s for s in backend.stacks.values() if name_or_stack_id in {s.name, s.stack_id}), None)
    if stack is None:
        return
    exported = {export.name for export in stack.exports}
    if not deployment.delete(stack):
        return
    for name in exported:
        backend.exports.pop(name, None)
    backend.change_sets = type(backend.change_sets)(
        (key, each) for key, each in backend.change_sets.items() if each.stack_id != stack.stack_id
    )
    backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)
