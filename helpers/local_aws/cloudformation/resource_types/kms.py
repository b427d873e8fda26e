"""AWS::KMS."""

import json
from typing import Any

from moto.kms.models import kms_backends

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType, as_text

_CHOSEN_AT_CREATION = {
    "KeySpec": ("key_spec", "SYMMETRIC_DEFAULT"),
    "KeyUsage": ("key_usage", "ENCRYPT_DECRYPT"),
    "MultiRegion": ("multi_region", False),
    "Origin": ("origin", "AWS_KMS"),
}
"""Properties that KMS cannot change, by moto's names, with their defaults; a change fails the update."""


class _Kms(ResourceType):
    @property
    def _backend(self) -> Any:
        return kms_backends[self.place.account][self.place.region]


class Key(_Kms):
    """AWS::KMS::Key."""

    type_name = "AWS::KMS::Key"
    importable = True
    emulated = frozenset(
        {"Description", "EnableKeyRotation", "Enabled", "KeyPolicy", "KeySpec", "KeyUsage", "MultiRegion"}
        | {"PendingWindowInDays", "Tags"}
    )

    def create(self, resource: Resource) -> None:
        """Create the key."""
        properties = resource.properties
        chosen = {name: properties.get(name, default) for name, (_, default) in _CHOSEN_AT_CREATION.items()}
        key = self._backend.create_key(
            as_text(properties["KeyPolicy"]) if "KeyPolicy" in properties else None,
            chosen["KeyUsage"],
            chosen["KeySpec"],
            properties.get("Description", ""),
            None,
            chosen["MultiRegion"],
            chosen["Origin"],
        )
        resource.physical_id = key.id
        self._configure(key, resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the properties that can change; a key that is pending deletion does not exist."""
        key = self._backend.keys.get(resource.physical_id)
        if key is None or key.key_state == "PendingDeletion":
            return None
        return {
            "Description": key.description,
            "EnableKeyRotation": key.key_rotation_status,
            "Enabled": key.enabled,
            "KeyPolicy": json.loads(key.policy),
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the properties that KMS can change."""
        key = self._backend.keys[resource.physical_id]
        for name, (attribute, default) in _CHOSEN_AT_CREATION.items():
            if getattr(key, attribute) != resource.properties.get(name, default):
                text = f"You cannot change the {name} property of a KMS key. Create another key instead."
                raise ValueError(text)
        self._configure(key, resource, before)

    def delete(self, resource: Resource) -> None:
        """Schedule the deletion, which can be canceled during the waiting period."""
        if resource.physical_id in self._backend.keys:
            days = resource.properties.get("PendingWindowInDays", 30)
            self._backend.schedule_key_deletion(resource.physical_id, days)

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return Arn or KeyId."""
        key = self._backend.keys[resource.physical_id]
        return {"Arn": key.arn, "KeyId": key.id}[name]

    def adopt(self, resource: Resource) -> bool:
        """Find the key with the physical ID."""
        return self.read(resource) is not None

    def _configure(self, key: Any, resource: Resource, before: Properties) -> None:
        properties, backend = resource.properties, self._backend
        if "KeyPolicy" in properties or "KeyPolicy" in before:
            key.policy = as_text(properties.get("KeyPolicy") or key.generate_default_policy())
        key.description = properties.get("Description", "")
        key.key_rotation_status = properties.get("EnableKeyRotation", False)
        (backend.enable_key if properties.get("Enabled", True) else backend.disable_key)(key.id)
        gone = {tag["Key"] for tag in before.get("Tags", [])} - resource.tags.keys()
        backend.untag_resource(key.id, list(gone))
        backend.tag_resource(key.id, resource.tags)


class Alias(_Kms):
    """AWS::KMS::Alias."""

    type_name = "AWS::KMS::Alias"
    emulated = frozenset({"AliasName", "TargetKeyId"})

    def create(self, resource: Resource) -> None:
        """Create the alias."""
        name = resource.properties["AliasName"]
        if self._backend.get_key_id_from_alias(name):
            raise ValueError(f"{name} already exists")
        self._backend.create_alias(resource.properties["TargetKeyId"], name)
        resource.physical_id = name

    def read(self, resource: Resource) -> Properties | None:
        """Return the target key of the alias."""
        key = self._backend.get_key_id_from_alias(resource.physical_id)
        return None if key is None else {"TargetKeyId": key}

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the target key of the alias."""
        self._backend.update_alias(resource.properties["TargetKeyId"], resource.physical_id)

    def delete(self, resource: Resource) -> None:
        """Delete the alias."""
        self._backend.delete_alias(resource.physical_id)
