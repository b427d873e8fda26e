"""Stacks and change sets, with the attributes that moto's responses read."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.cloudformation.models import Event

from helpers.local_aws.cloudformation.resource_types import resource_type
from helpers.local_aws.cloudformation.resource_types.base import AccountRegion, Resource, ResourceType
from helpers.local_aws.cloudformation.templates import parameters
from helpers.local_aws.fault_injection import FaultInjection


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@dataclass
class Change:
    """A change, with the attributes of ResourceChange in CloudFormation's API."""

    action: str
    logical_resource_id: str
    resource_type: str
    physical_resource_id: str | None = None
    replacement: str | None = None
    scope: list[str] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Export:
    """A value that a stack exports."""

    exporting_stack_id: str
    name: str
    value: str


@dataclass
class Target:
    """A template with parameters that a stack has, or will have.

    Attributes:
        text: the original template.
        template: the processed template.
        parameters: all parameters as strings.
        values: the value of Ref for each parameter.
    """

    text: str = ""
    template: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def resources(self) -> Mapping[str, Any]:
        """The resources of the template."""
        resources: Mapping[str, Any] = self.template.get("Resources", {})
        return resources

    def shown_parameters(self) -> list[dict[str, str]]:
        """Return the parameters as the API shows them: without secrets, with the values of SSM parameters."""
        declared = parameters.declared_in(self.template)
        shown = []
        for name, text in self.parameters.items():
            rule = declared.get(name, {})
            secret = parameters.is_secret(rule)
            one = {"ParameterKey": name, "ParameterValue": "****" if secret else text}
            if rule.get("Type", "").startswith(parameters.SSM_TYPE) and not secret:
                value = self.values[name]
                one["ResolvedValue"] = ",".join(value) if isinstance(value, list) else value
            shown.append(one)
        return shown


class Stack:
    """A stack."""

    class Meta:
        """Attributes that moto reads under other names."""

        serialization_aliases: ClassVar = {"Parameters": "shown_parameters", "Outputs": "shown_outputs"}

    def __init__(self, stack_id: str, name: str, place: AccountRegion, **options: Any):
        self.stack_id, self.name, self.place = stack_id, name, place
        self.target = Target()
        self.resources: dict[str, Resource] = {}
        self.events: list[Any] = []
        self.outputs: list[dict[str, Any]] = []
        self.exports: list[Export] = []
        self.status = "REVIEW_IN_PROGRESS"
        self.status_reason: str | None = None
        self.creation_time = now()
        self.last_updated_time: datetime | None = None
        self.deletion_time: datetime | None = None
        self.tags: dict[str, str] = dict(options.get("tags") or {})
        self.role_arn = options.get("role_arn")
        self.notification_arns = list(options.get("notification_arns") or [])
        self.timeout_in_minutes = options.get("timeout_in_mins")
        self.policy = options.get("stack_policy_body") or ""
        self.enable_termination_protection = bool(options.get("enable_termination_protection"))
        self.disable_rollback = False
        self.custom_resources: dict[str, Any] = {}

    @property
    def template(self) -> str:
        """The original template."""
        return self.target.text

    @property
    def description(self) -> str | None:
        """The template's description."""
        return self.target.template.get("Description")

    template_description = description

    @property
    def stack_status_reason(self) -> str | None:
        """Why the stack has its status."""
        return self.status_reason

    @property
    def shown_parameters(self) -> list[dict[str, str]]:
        """The parameters as the API shows them."""
        return self.target.shown_parameters()

    @property
    def shown_outputs(self) -> list[dict[str, Any]] | None:
        """The outputs as the API shows them; None if there are none."""
        return self.outputs or None

    def type_of(self, resource: Resource) -> ResourceType:
        """Return the handlers of a resource."""
        return resource_type(resource.type_name, self.place)

    def set_status(self, status: str, reason: str | None = None) -> None:
        """Set the status of the stack, and add an event, which is sent to its notification topics."""
        self.status, self.status_reason = status, reason
        event = self._event(self.name, self.stack_id, "AWS::CloudFormation::Stack", status, reason)
        event.sendToSns(self.place.account, self.place.region, self.notification_arns)

    def set_resource_status(self, resource: Resource, status: str, reason: str | None = None) -> None:
        """Set the status of a resource, and add an event to the stack."""
        resource.status, resource.status_reason, resource.timestamp = status, reason, now()
        self._event(resource.logical_id, resource.physical_id, resource.type_name, status, reason)

    def first_failure(self) -> str | None:
        """Return why the last operation failed."""
        failed = [
            event for event in self.events if event.resource_status in {"CREATE_FAILED", "UPDATE_FAILED"}
        ]
        return failed[-1].resource_status_reason if failed else self.status_reason

    def add_custom_resource(self, resource: Any) -> None:
        """Store a custom resource for moto's model of it."""
        self.custom_resources[resource.logical_id] = resource

    def get_custom_resource(self, logical_id: str) -> Any:
        """Return a custom resource that has responded."""
        return self.custom_resources[logical_id]

    def verify_readiness(self) -> None:
        """Do nothing: the stack has not waited for the response of a custom resource."""

    def _event(
        self, logical_id: str, physical_id: str, type_name: str, status: str, reason: str | None
    ) -> Any:
        event = Event(
            stack_id=self.stack_id,
            stack_name=self.name,
            logical_resource_id=logical_id,
            physical_resource_id=physical_id,
            resource_type=type_name,
            resource_status=status,
            resource_status_reason=reason,
            resource_properties=None,
        )
        self.events.append(event)
        return event


@dataclass
class ChangeSet:
    """A change set, with the attributes of the API's responses."""

    change_set_id: str
    change_set_name: str
    change_set_type: str
    stack: Stack
    target: Target
    description: str | None
    tags: dict[str, str]
    changes: list[Change]
    status: str = "CREATE_COMPLETE"
    execution_status: str = "AVAILABLE"
    status_reason: str | None = None
    notification_arns: list[str] = field(default_factory=list)
    role_arn: str | None = None
    creation_time: datetime = field(default_factory=now)

    @property
    def stack_id(self) -> str:
        """The ID of the stack."""
        return self.stack.stack_id

    @property
    def stack_name(self) -> str:
        """The name of the stack."""
        return self.stack.name

    @property
    def parameters(self) -> list[dict[str, str]]:
        """The parameters as the API shows them."""
        return self.target.shown_parameters()

    def fail(self, reason: str) -> None:
        """Set the status to FAILED, so that the change set cannot be executed."""
        self.status, self.execution_status, self.status_reason = "FAILED", "UNAVAILABLE", reason

    def delay(self, injection: FaultInjection) -> None:
        """Stay in progress as long as injected faults delay stack operations."""
        seconds = injection.faults.stack_seconds
        if seconds:
            status, execution_status = self.status, self.execution_status
            self.status, self.execution_status = "CREATE_IN_PROGRESS", "UNAVAILABLE"

            def finish() -> None:
                self.status, self.execution_status = status, execution_status

            injection.after(seconds, finish)


@dataclass(frozen=True)
class Detection:
    """The result of a drift detection, with the attributes of the API's responses."""

    stack_id: str
    stack_resource_drifts: list[dict[str, Any]]
    stack_drift_detection_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    timestamp: datetime = field(default_factory=now)

    def with_status(self, *statuses: str) -> list[dict[str, Any]]:
        """Return the resources with the given statuses."""
        return [each for each in self.stack_resource_drifts if each["StackResourceDriftStatus"] in statuses]
