"""The CloudFormation backend: stacks and change sets by CloudFormation's rules, instead of moto's."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from moto.cloudformation import urls
from moto.cloudformation.exceptions import AlreadyExistsException, CloudFormationError, ValidationError
from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id, validate_create_change_set

from helpers.local_aws.cloudformation import deployment
from helpers.local_aws.cloudformation.changes import find_changes
from helpers.local_aws.cloudformation.imports import adopt, check_import
from helpers.local_aws.cloudformation.resource_types.base import AccountRegion
from helpers.local_aws.cloudformation.stack_context import ssm_parameter
from helpers.local_aws.cloudformation.stacks import ChangeSet, Detection, Stack, Target
from helpers.local_aws.cloudformation.templates import parameters as template_parameters
from helpers.local_aws.cloudformation.templates.reading import read_template
from helpers.local_aws.cloudformation.templates.validation import (
    check_parameters,
    check_template,
    parse_template,
)
from helpers.local_aws.fault_injection import INJECTION

NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
_NOT_TO_BE_UPDATED = frozenset(
    {"DELETE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED"}
)
_NOT_EXECUTED = frozenset({"AVAILABLE", "UNAVAILABLE"})
"""The statuses in which the name of a change set cannot be reused."""


# moto's classes have no types, so the base of their subclasses is Any.
class InvalidChangeSetStatus(CloudFormationError):  # type: ignore[misc] # noqa: N818 - AWS's name
    """A change set cannot be executed in its status."""

    code = "InvalidChangeSetStatus"


class ChangeSetNotFound(CloudFormationError):  # type: ignore[misc] # noqa: N818 - AWS's name
    """The change set does not exist."""

    code = "ChangeSetNotFound"


class Backend(CloudFormationBackend):  # type: ignore[misc]
    """CloudFormation in one account and region; moto provides stack sets."""

    def __init__(self, region_name: str, account_id: str):
        super().__init__(region_name, account_id)
        self.place = AccountRegion(account_id, region_name, self.partition)
        self.detections: dict[str, Detection] = {}
        # Of two concurrent requests, the second sees what the first created or started.
        self._operation_lock = threading.Lock()

    @property
    def _url_module(self) -> Any:
        return urls  # otherwise moto looks for them next to this module

    def target(self, text: str, given: Mapping[str, str]) -> Target:
        """Return the target of a template with its parameters.

        Raises:
            ValidationError: CloudFormation rejects the template or a parameter.
        """
        place = {
            "AWS::AccountId": self.place.account,
            "AWS::Partition": self.place.partition,
            "AWS::Region": self.place.region,
        }
        check_parameters(read_template(text), given, place)
        template = parse_template(text, given)
        check_template(template)
        texts = template_parameters.with_defaults(template, given)
        values = template_parameters.resolved(template, texts, lambda name: ssm_parameter(name, self.place))
        return Target(text, template, texts, values)

    # --- stacks

    def create_stack(self, name: str, template: str, parameters: dict[str, Any], **options: Any) -> Stack:
        """Create and return a stack. The stack is complete, unless injected faults keep it in progress."""
        target = self.target(template, _texts(parameters))
        with self._operation_lock:
            if self._by_name(name) is not None:
                raise AlreadyExistsException(f"Stack [{name}] already exists")
            stack = self._new_stack(name, **options)
            try:
                find_changes(stack, target, stack.tags, self.exports)
            except ValidationError:
                del self.stacks[stack.stack_id]
                raise
        self._operate(stack, "CREATE", lambda: deployment.create(stack, target, self.exports))
        return stack

    def update_stack(
        self,
        name: str,
        template: str,
        role_arn: str | None,
        parameters: list[dict[str, Any]],
        tags: dict[str, str] | None,
    ) -> Stack:
        """Update and return a stack. The update is complete, unless injected faults keep it in progress.

        Raises:
            ValidationError: the stack cannot be updated, or nothing would change.
        """
        stack: Stack = self.get_stack(name)
        target = self.target(template, given_parameters(parameters, stack))
        tags = stack.tags if tags is None else tags
        with self._operation_lock:
            self._reject_unless_updatable(stack)
            _, any_change = find_changes(stack, target, tags, self.exports)
            if not any_change:
                raise ValidationError(message="No updates are to be performed.")
            stack.status = "UPDATE_IN_PROGRESS"
        stack.role_arn = role_arn or stack.role_arn
        self._operate(stack, "UPDATE", lambda: deployment.update(stack, target, self.exports, tags))
        return stack

    def delete_stack(self, name_or_stack_id: str) -> None:
        """Delete a stack; do nothing if it does not exist."""
        stack = self._find_stack(name_or_stack_id)
        if stack is None:
            return
        if stack.enable_termination_protection:
            raise ValidationError(
                message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        if stack.status == "DELETE_IN_PROGRESS":
            return
        if stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
            text = f"Stack [{stack.stack_id}] is in {stack.status} state and cannot be deleted."
            raise ValidationError(message=text)
        self._operate(stack, "DELETE", lambda: self._delete(stack))

    def _delete(self, stack: Stack) -> None:
        if not deployment.delete(stack):
            return
        for change_set_id, change_set in list(self.change_sets.items()):
            if change_set.stack_id == stack.stack_id:
                del self.change_sets[change_set_id]
        self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)

    def _new_stack(self, name: str, **options: Any) -> Stack:
        stack_id = generate_stack_id(name, self.region_name, self.account_id)
        stack = self.stacks[stack_id] = Stack(stack_id, name, self.place, **options)
        return stack

    def _by_name(self, name: str) -> Stack | None:
        return next((stack for stack in self.stacks.values() if stack.name == name), None)

    def _find_stack(self, name_or_stack_id: str) -> Stack | None:
        found: Stack | None = self.stacks.get(name_or_stack_id)
        return self._by_name(name_or_stack_id) if found is None else found

    def _publish_exports(self, stack: Stack) -> None:
        for name, export in list(self.exports.items()):
            if export.exporting_stack_id == stack.stack_id:
                del self.exports[name]
        self.exports.update({export.name: export for export in stack.exports})

    def _reject_unless_updatable(self, stack: Stack) -> None:
        if stack.status in _NOT_TO_BE_UPDATED or stack.status.endswith("_IN_PROGRESS"):
            text = f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
            raise ValidationError(message=text)

    # --- change sets

    def create_change_set(
        self,
        stack_name: str,
        change_set_name: str,
        template: str,
        parameters: dict[str, str],
        change_set_type: str,
        **options: Any,
    ) -> tuple[str, str]:
        """Create a change set, and the stack if it does not exist; return the IDs of both.

        Raises:
            ValidationError: the template, the parameters or the status of the stack do not allow it.
        """
        validate_create_change_set(change_set_name)
        target = self.target(template, parameters)
        imported = options.pop("resources_to_import", [])
        with self._operation_lock:
            stack = self._stack_for(stack_name, change_set_name, change_set_type, **options)
            try:
                change_set = self._change_set(stack, change_set_name, change_set_type, target, **options)
                if change_set_type == "IMPORT":
                    check_import(change_set, imported, self.stacks.values())
            except Exception:
                self._discard(stack)
                raise
            self.change_sets[change_set.change_set_id] = change_set
            change_set.delay(INJECTION)
        return change_set.change_set_id, stack.stack_id

    def _stack_for(self, name: str, change_set_name: str, change_set_type: str, **options: Any) -> Stack:
        stack = self._find_stack(name)
        if stack is None:
            if change_set_type == "UPDATE":
                raise ValidationError(message=f"Stack [{name}] does not exist")
            stack = self._new_stack(name, **options)
            stack.set_status("REVIEW_IN_PROGRESS", "User Initiated")
            return stack
        in_review = stack.status == "REVIEW_IN_PROGRESS"
        if change_set_type == "CREATE" and not in_review:
            text = f"Stack [{stack.name}] already exists and cannot be created again with the changeSet "
            raise ValidationError(message=text + f"[{change_set_name}]")
        if change_set_type != "CREATE" and not (change_set_type == "IMPORT" and in_review):
            self._reject_unless_updatable(stack)
        waiting = [each for each in self._change_sets_of(stack) if each.execution_status in _NOT_EXECUTED]
        if any(each.change_set_name == change_set_name for each in waiting):
            text = f"ChangeSet {change_set_name} cannot be created due to a mismatch with existing attribute"
            raise AlreadyExistsException(f"{text} name")
        return stack

    def _change_set(self, stack: Stack, name: str, kind: str, target: Target, **options: Any) -> ChangeSet:
        tags = options.get("tags") or {}
        changes, any_change = find_changes(stack, target, tags, self.exports)
        change_set = ChangeSet(
            change_set_id=generate_changeset_id(name, self.region_name, self.account_id),
            change_set_name=name,
            change_set_type=kind,
            stack=stack,
            target=target,
            description=options.get("description"),
            tags=tags,
            changes=changes,
            notification_arns=options.get("notification_arns") or [],
            role_arn=options.get("role_arn"),
        )
        if kind == "UPDATE" and not any_change:
            change_set.fail(NO_CHANGES)
        return change_set

    def _discard(self, stack: Stack) -> None:
        """Remove a stack that was created for a rejected change set."""
        if stack.status == "REVIEW_IN_PROGRESS" and not self._change_sets_of(stack):
            del self.stacks[stack.stack_id]

    def _change_sets_of(self, stack: Stack) -> list[ChangeSet]:
        return [each for each in self.change_sets.values() if each.stack_id == stack.stack_id]

    def list_change_sets(self, stack_name: str) -> list[ChangeSet]:
        """Return the change sets of a stack."""
        return self._change_sets_of(self.get_stack(stack_name))

    def describe_change_set(self, change_set_name: str, stack_name: str | None = None) -> ChangeSet:
        """Return a change set by its ID, or by its name and stack.

        Raises:
            ChangeSetNotFound: the change set does not exist.
            ValidationError: the stack is not named or does not exist.
        """
        if change_set_name.startswith("arn:"):
            if change_set_name in self.change_sets:
                found: ChangeSet = self.change_sets[change_set_name]
                return found
        elif not stack_name:
            text = "StackName must be specified if ChangeSetName is not specified as an ARN."
            raise ValidationError(message=text)
        else:
            for each in reversed(self.list_change_sets(stack_name)):
                if each.change_set_name == change_set_name:
                    return each
        raise ChangeSetNotFound(f"ChangeSet [{change_set_name}] does not exist")

    def delete_change_set(self, change_set_name: str, stack_name: str | None = None) -> None:
        """Delete a change set; do nothing if it does not exist."""
        try:
            change_set = self.describe_change_set(change_set_name, stack_name)
        except ChangeSetNotFound:
            return
        del self.change_sets[change_set.change_set_id]

    def execute_change_set(self, change_set_name: str, stack_name: str | None = None) -> None:
        """Execute a change set. It is complete on return, unless injected faults keep it in progress.

        Raises:
            InvalidChangeSetStatus: the change set cannot be executed in its status.
        """
        change_set = self.describe_change_set(change_set_name, stack_name)
        stack, target = change_set.stack, change_set.target
        with self._operation_lock:
            if change_set.execution_status != "AVAILABLE":
                text = f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status of "
                raise InvalidChangeSetStatus(text + f"[{change_set.execution_status}]")
            for other in self._change_sets_of(stack):
                other.execution_status = "OBSOLETE"
            change_set.execution_status = "EXECUTE_COMPLETE"
        match change_set.change_set_type:
            case "IMPORT":
                self._operate(stack, "IMPORT", lambda: adopt(change_set, self.stacks.values(), self.exports))
            case "CREATE":
                stack.tags = change_set.tags
                self._operate(stack, "CREATE", lambda: deployment.create(stack, target, self.exports))
            case _:
                self._operate(
                    stack,
                    "UPDATE",
                    lambda: deployment.update(stack, target, self.exports, change_set.tags),
                )

    def _operate(self, stack: Stack, kind: str, operation: Callable[[], None]) -> None:
        """Run an operation on a stack now, or later if injected faults keep it in progress."""
        stack.set_status(f"{kind}_IN_PROGRESS", "User Initiated")

        def finish() -> None:
            operation()
            self._publish_exports(stack)

        INJECTION.after(INJECTION.faults.stack_seconds, finish)


def given_parameters(given: list[dict[str, Any]], stack: Stack | None) -> dict[str, str]:
    """Return the parameters of a request by name, with previous values if requested.

    Raises:
        ValidationError: A parameter has no previous value.
    """
    before = stack.target.parameters if stack else {}
    values = {}
    for each in given:
        name = each["ParameterKey"]
        if not each.get("UsePreviousValue"):
            values[name] = each.get("ParameterValue", "")
        elif name in before:
            values[name] = before[name]
        else:
            text = f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a "
            raise ValidationError(message=f"{text}parameter key not in the previous template")
    return values


def _texts(parameters: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: ",".join(value) if isinstance(value, list) else str(value) for name, value in parameters.items()
    }
