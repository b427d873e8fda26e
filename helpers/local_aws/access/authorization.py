"""Authorizes requests, and raises the API's error if a request is denied."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from helpers.local_aws.access.conditions import context_of
from helpers.local_aws.access.evaluation import AccessRequest, document_of, evaluate
from helpers.local_aws.access.principals import ACCOUNT_ROOT, Principal, find_principal
from helpers.local_aws.api.response import ACCOUNT, ApiError


def authorize_action(
    caller: str | None, action: str, resource: str, condition_keys: Mapping[str, object] | None = None
) -> None:
    """Check whether the caller may perform an action that creates no resource.

    Raises:
        ApiError: AccessDeniedException.
    """
    require(principal_of(caller or ACCOUNT_ROOT), action, resource, condition_keys or {})


def require(
    principal: Principal,
    action: str,
    resource: str,
    keys: Mapping[str, object],
    key: Any = None,
    code: str = "AccessDeniedException",
) -> None:
    """Check whether a principal may perform an action; for a KMS key, its key policy is evaluated too.

    Raises:
        ApiError: the request is denied; with the given code, in AWS's words.
    """
    context = context_of({"aws:PrincipalArn": principal.arn, "aws:PrincipalAccount": ACCOUNT, **keys})
    asked = AccessRequest(principal.arn, action, resource, ACCOUNT, context)
    found = evaluate(asked, replace(principal.policies, resource=document_of(key.policy) if key else None))
    if found:
        text = f"User: {principal.user} is not authorized to perform: {action} on resource: {resource} "
        raise ApiError(code, text + found.reason(action))


def principal_of(arn: str) -> Principal:
    """Return the principal of an ARN.

    Raises:
        ApiError: ValidationException if the role does not exist.
    """
    found = find_principal(arn)
    if found is None:
        raise ApiError("ValidationException", f"The role {arn} does not exist")
    return found
