"""The CloudFormation API: moto's requests and responses, and the operations that moto lacks."""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from helpers.local_aws.cloudformation.backend import Backend, given_parameters
from helpers.local_aws.cloudformation.deployment import load
from helpers.local_aws.cloudformation.drift import detect
from helpers.local_aws.cloudformation.stacks import Stack, now
from helpers.local_aws.cloudformation.templates import parameters
from helpers.local_aws.cloudformation.templates.language_extensions import transforms
from helpers.local_aws.cloudformation.templates.validation import check_template, parse_template
from helpers.local_aws.fault_injection import INJECTION

_SHOWN = frozenset({"DescribeChangeSetOutput.Parameters"})
"""Response members whose values already have the form of a response."""
_EVENTS_OF_PAGE = 20
"""AWS documents no page size. With small pages, callers paginate, and only what they read is rendered."""


# moto's classes have no types, so the base of their subclasses is Any.
class Response(CloudFormationResponse):  # type: ignore[misc]
    """A request; moto handles operations on stack sets."""

    RESPONSE_KEY_PATH_TO_TRANSFORMER: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        path: transform
        for path, transform in CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER.items()
        if path not in _SHOWN
    }

    @property
    def cloudformation_backend(self) -> Backend:
        """The backend of the request's account and region."""
        backend: Backend = cloudformation_backends[self.current_account][self.region]
        return backend

    def _validate_different_update(self, *_: Any) -> None:
        """Do nothing: the backend compares more than the text."""

    def _validate_status(self, stack: Stack) -> None:
        """Do nothing: the backend validates the status."""

    def _template(self, stack: Stack | None) -> str:
        text, url = self._get_param("TemplateBody"), self._get_param("TemplateURL")
        if self._get_bool_param("UsePreviousTemplate", False):
            if text or url:
                message = "You cannot specify both usePreviousTemplate and Template Body/Template URL."
                raise ValidationError(message=message)
            if stack is not None:
                return stack.template
        if not text and url:
            text = self._get_stack_from_s3_url(url)
        if not text:
            raise ValidationError(message="Either Template URL or Template Body must be specified.")
        return str(text)

    def create_change_set(self) -> ActionResult:
        """Create a change set."""
        backend, name = self.cloudformation_backend, self._get_param("StackName")
        kind = self._get_param("ChangeSetType", "UPDATE")
        stack = next((each for each in backend.stacks.values() if name in {each.name, each.stack_id}), None)
        change_set_id, stack_id = backend.create_change_set(
            stack_name=name,
            change_set_name=self._get_param("ChangeSetName"),
            template=self._template(stack),
            parameters=given_parameters(self._get_param("Parameters", []), stack),
            description=self._get_param("Description"),
            notification_arns=self._get_param("NotificationARNs", []),
            tags={item["Key"]: item["Value"] for item in self._get_param("Tags", [])},
            role_arn=self._get_param("RoleARN"),
            change_set_type=kind,
            resources_to_import=self._get_param("ResourcesToImport", []),
        )
        return ActionResult({"Id": change_set_id, "StackId": stack_id})

    def describe_change_set(self) -> ActionResult:
        """Return a change set."""
        return ActionResult(self.cloudformation_backend.describe_change_set(*self._change_set()))

    def delete_change_set(self) -> ActionResult:
        """Delete a change set."""
        self.cloudformation_backend.delete_change_set(*self._change_set())
        return EmptyResult()

    def _change_set(self) -> tuple[str, str | None]:
        return self._get_param("ChangeSetName"), self._get_param("StackName")

    def list_change_sets(self) -> ActionResult:
        """Return the change sets of a stack."""
        found = self.cloudformation_backend.list_change_sets(self._get_param("StackName"))
        return ActionResult({"Summaries": found})

    def get_template(self) -> ActionResult:
        """Return the template of a stack, original or processed."""
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        if self._get_param("TemplateStage") != "Processed":
            return ActionResult({"TemplateBody": stack.template})
        functions = load(stack, stack.target, self.cloudformation_backend.exports)
        template = json.loads(json.dumps(stack.target.template))
        for definition in template.get("Resources", {}).values():
            for policy in {"DeletionPolicy", "UpdateReplacePolicy"} & definition.keys():
                definition[policy] = functions.value(definition[policy])
        return ActionResult({"TemplateBody": json.dumps(template)})

    def validate_template(self) -> ActionResult:
        """Validate a template and return its parameters and description."""
        template = parse_template(self._template(None))
        check_template(template)
        declared = _declared(template)
        return ActionResult(
            {key: declared[key] for key in ("Description", "Parameters", "DeclaredTransforms")}
        )

    def get_template_summary(self) -> ActionResult:
        """Return the parameters and resources that a template declares."""
        name = self._get_param("StackName")
        stack = self.cloudformation_backend.get_stack(name) if name else None
        if stack is not None and stack.status == "REVIEW_IN_PROGRESS":
            text = "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."
            raise ValidationError(message=text)
        return ActionResult(_declared(parse_template(stack.template if stack else self._template(None))))

    def describe_stack_events(self) -> ActionResult:
        """Return a page of a stack's events, newest first."""
        events = self.cloudformation_backend.describe_stack_events(self._get_param("StackName"))[::-1]
        start = 0
        if token := self._get_param("NextToken"):
            start = next((place for place, each in enumerate(events) if str(each.event_id) == token), -1)
        if start < 0:
            raise ValidationError(message="The specified NextToken is not valid.")
        end = start + _EVENTS_OF_PAGE
        next_token = {"NextToken": str(events[end].event_id)} if end < len(events) else {}
        return ActionResult({"StackEvents": events[start:end], **next_token})

    def list_stack_resources(self) -> ActionResult:
        """Return the resources of a stack; those of a deleted stack with the status of their last event."""
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        return ActionResult({"StackResourceSummaries": _resources(stack)})

    def describe_stack_resources(self) -> ActionResult:
        """Return the resources of a stack, or the requested one."""
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        wanted = self._get_param("LogicalResourceId")
        found = [each for each in _resources(stack) if wanted in {None, each["LogicalResourceId"]}]
        return ActionResult({"StackResources": found})

    def describe_stack_resource(self) -> ActionResult:
        """Return one resource of a stack."""
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        wanted = self._get_param("LogicalResourceId")
        for each in _resources(stack):
            if each["LogicalResourceId"] == wanted:
                return ActionResult({"StackResourceDetail": each})
        text = f"Resource {wanted} does not exist for stack {stack.name}"
        raise ValidationError(message=text)

    def detect_stack_drift(self) -> ActionResult:
        """Detect drift; the detection is complete when this returns."""
        backend = self.cloudformation_backend
        stack = backend.get_stack(self._get_param("StackName"))
        found = detect(stack, self._get_param("LogicalResourceIds", []))
        backend.detections[found.stack_drift_detection_id] = found
        return ActionResult({"StackDriftDetectionId": found.stack_drift_detection_id})

    def describe_stack_drift_detection_status(self) -> ActionResult:
        """Return the result of a drift detection."""
        wanted = self._get_param("StackDriftDetectionId")
        found = self.cloudformation_backend.detections.get(wanted)
        if found is None:
            raise ValidationError(message=f"Drift detection with id [{wanted}] does not exist")
        status = {
            "StackId": found.stack_id,
            "StackDriftDetectionId": wanted,
            "Timestamp": found.timestamp,
        }
        if (now() - found.timestamp).total_seconds() < INJECTION.faults.stack_seconds:
            return ActionResult({**status, "DetectionStatus": "DETECTION_IN_PROGRESS"})
        drifted = found.with_status("DELETED", "MODIFIED")
        return ActionResult(
            {
                **status,
                "StackDriftStatus": "DRIFTED" if drifted else "IN_SYNC",
                "DetectionStatus": "DETECTION_COMPLETE",
                "DriftedStackResourceCount": len(drifted),
            }
        )

    def describe_stack_resource_drifts(self) -> ActionResult:
        """Return the results of the last drift detection of a stack."""
        backend = self.cloudformation_backend
        stack = backend.get_stack(self._get_param("StackName"))
        of_stack = [each for each in backend.detections.values() if each.stack_id == stack.stack_id]
        if not of_stack:
            text = f"Drift detection has not been performed on stack [{stack.stack_id}]"
            raise ValidationError(message=text)
        statuses = self._get_param("StackResourceDriftStatusFilters", [])
        found = of_stack[-1]
        drifts = found.with_status(*statuses) if statuses else found.stack_resource_drifts
        return ActionResult({"StackResourceDrifts": drifts})


def _resources(stack: Stack) -> list[dict[str, Any]]:
    of_stack = {"StackId": stack.stack_id, "StackName": stack.name}
    if stack.status == "DELETE_COMPLETE":
        last = {
            event.logical_resource_id: event
            for event in stack.events
            if event.physical_resource_id != stack.stack_id
        }
        found = [
            (name, event.physical_resource_id, event.resource_type, event.resource_status, event.timestamp)
            for name, event in last.items()
        ]
    else:
        found = [
            (name, each.physical_id, each.type_name, each.status, each.timestamp)
            for name, each in stack.resources.items()
        ]
    return [
        {
            **of_stack,
            "LogicalResourceId": name,
            "PhysicalResourceId": physical_id,
            "ResourceType": type_name,
            "ResourceStatus": status,
            "LastUpdatedTimestamp": timestamp,
            "Timestamp": timestamp,
        }
        for name, physical_id, type_name, status, timestamp in found
    ]


def _declared(template: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Description": template.get("Description"),
        "Metadata": json.dumps(template["Metadata"]) if "Metadata" in template else None,
        "Version": template.get("AWSTemplateFormatVersion"),
        "DeclaredTransforms": transforms(template),
        "ResourceTypes": sorted({each["Type"] for each in template["Resources"].values()}),
        "Parameters": [
            {
                "ParameterKey": name,
                "Description": rule.get("Description", ""),
                "DefaultValue": parameters.with_defaults(template, {}).get(name),
                "NoEcho": parameters.is_secret(rule),
                "ParameterType": rule["Type"],
                "ParameterConstraints": (
                    {"AllowedValues": list(map(str, rule["AllowedValues"]))}
                    if "AllowedValues" in rule
                    else {}
                ),
            }
            for name, rule in parameters.declared_in(template).items()
        ],
    }
