"""Finds the KMS keys that requests name."""

from typing import Any

from moto.kms.models import kms_backends

from helpers.local_aws.api.response import ACCOUNT, ApiError


def find_key(name: str | None, region: str) -> Any:
    """Return the key with an ID, an ARN or an alias; it must be enabled."""
    if not name:
        return None
    backend = kms_backends[ACCOUNT][region]
    alias = backend.get_alias_name(name)
    by_alias = alias.startswith("alias/")
    key_id = backend.get_key_id_from_alias(alias) if by_alias else backend.get_key_id(name)
    key = backend.keys.get(key_id or "")
    foreign = name.startswith("arn:") and name.split(":")[3:5] != [region, ACCOUNT]
    if key is None or foreign:
        raise _invalid(f"Invalid KMS key: Key '{name}' does not exist")
    if key.key_state != "Enabled":
        state = {"PendingDeletion": "pending deletion"}.get(key.key_state, key.key_state.lower())
        raise _invalid(f"Invalid KMS key: {key.arn} is {state}.")
    return key


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
