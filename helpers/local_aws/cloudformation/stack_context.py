"""Resolves what the functions of a template refer to: resources, exports, account and region."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.ec2.models import ec2_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from helpers.local_aws.cloudformation.resource_types.base import AccountRegion
from helpers.local_aws.cloudformation.stacks import Export, Stack
from helpers.local_aws.cloudformation.templates.functions import Unknown

_DYNAMIC = re.compile(r"\{\{resolve:([^:}]+):([^}]+)\}\}")


class StackContext:
    """The context of a stack whose resources exist."""

    def __init__(self, stack: Stack, exports: Mapping[str, Export]):
        self._stack, self._exports = stack, exports
        self._pseudo = {
            "AWS::AccountId": stack.place.account,
            "AWS::NotificationARNs": stack.notification_arns,
            "AWS::Partition": stack.place.partition,
            "AWS::Region": stack.place.region,
            "AWS::StackId": stack.stack_id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        }

    def reference(self, name: str) -> Any:
        """Return a pseudo parameter or the physical ID of a resource."""
        return self._pseudo[name] if name in self._pseudo else self._physical_id(name)

    def attribute(self, name: str, attribute: str) -> Any:
        """Return an attribute of a resource."""
        resource = self._stack.resources[name]
        try:
            return self._stack.type_of(resource).attribute(resource, attribute)
        except KeyError:
            text = (
                f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
            )
            raise ValidationError(message=text) from None

    def imported(self, name: str) -> str:
        """Return the value of an export."""
        return self._exports[name].value

    def zones(self, region: str) -> list[str]:
        """Return the availability zones of a region."""
        backend = ec2_backends[self._stack.place.account][region]
        return [zone.name for zone in backend.describe_availability_zones()]

    def _physical_id(self, name: str) -> str:
        return self._stack.resources[name].physical_id


class StackPreview(StackContext):
    """The context of a stack whose resources may not exist yet; its functions return placeholders.

    Attributes:
        names: the resources whose conditions are met.
        replaced: those of them that will be replaced.
    """

    def __init__(self, stack: Stack, exports: Mapping[str, Export]):
        super().__init__(stack, exports)
        self.names: Sequence[str] = ()
        self.replaced: set[str] = set()

    def attribute(self, name: str, attribute: str) -> Any:
        """Return a placeholder for an attribute."""
        return Unknown(f"{self._physical_id(name)}.{attribute}")

    def _physical_id(self, name: str) -> str:
        if name not in self.names:
            raise KeyError(name)
        return Unknown(f"{name} (new)" if name in self.replaced else name)


def ssm_parameter(name: str, place: AccountRegion) -> str:
    """Return the value of a Systems Manager parameter.

    Raises:
        ValidationError: the parameter does not exist.
    """
    found = ssm_backends[place.account][place.region].get_parameter(name)
    if found is None:
        text = f"Unable to fetch parameters [{name}] from parameter store for this account."
        raise ValidationError(message=text)
    return str(found.value)


def resolved(part: Any, place: AccountRegion) -> Any:
    """Return a part of a template with dynamic references, such as `{{resolve:ssm:name}}`, resolved.

    Raises:
        ValidationError: A reference cannot be resolved, or its kind is not supported.
    """
    match part:
        case dict():
            return {key: resolved(value, place) for key, value in part.items()}
        case list():
            return [resolved(value, place) for value in part]
        case str() if "{{resolve:" in part:
            return _DYNAMIC.sub(lambda found: _dynamic(found[1], found[2], place), part)
        case _:
            return part


def _dynamic(service: str, reference: str, place: AccountRegion) -> str:
    match service:
        case "ssm" | "ssm-secure":
            return ssm_parameter(reference, place)
        case "secretsmanager":
            return _secret(reference, place)
    raise ValidationError(
        message=f"Template error: unknown dynamic reference {{{{resolve:{service}:{reference}}}}}"
    )


def _secret(reference: str, place: AccountRegion) -> str:
    arn = reference.startswith("arn:")
    parts = reference.split(":", 7) if arn else reference.split(":")
    secret, *rest = [":".join(parts[:7]), *":".join(parts[7:]).split(":")] if arn else parts
    key = rest[1] if len(rest) > 1 else ""
    backend = secretsmanager_backends[place.account][place.region]
    text = str(backend.get_secret_value(secret, None, None)["SecretString"])
    return str(json.loads(text)[key]) if key else text
