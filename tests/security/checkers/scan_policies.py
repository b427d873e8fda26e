"""Checks policies with cloudsplaining and with policy_sentry's service authorization reference.

This script runs in the Python of the security tools, which has these packages. It reads `{"identity": {name:
policy}, "resource": {name: policy}}` as JSON and writes `{"rules": {tool: [rule]}, "findings": [[tool, rule,
where, what]]}`.
"""

import json
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from cloudsplaining.command.scan_policy_file import scan_policy
from policy_sentry.querying.actions import get_action_data, get_actions_for_service
from policy_sentry.querying.all import get_all_service_prefixes

CLOUDSPLAINING, AUTHORIZATION = "cloudsplaining", "policy_sentry"
RISKS = (
    *("PrivilegeEscalation", "ResourceExposure", "DataExfiltration", "CredentialsExposure"),
    *("ServiceWildcard", "InfrastructureModification"),
)
UNKNOWN_ACTION = "UnknownAction"
"""The action does not exist."""
UNSUPPORTED_ACTION = "UnsupportedAction"
"""The action supports none of the resources in its statement."""
UNSUPPORTED_RESOURCE = "UnsupportedResource"
"""No action in the statement supports the resource."""
UNSUPPORTED_KEY = "UnsupportedConditionKey"
"""The action does not support the condition key in its statement."""
POLICY_ERRORS = (UNKNOWN_ACTION, UNSUPPORTED_ACTION, UNSUPPORTED_RESOURCE, UNSUPPORTED_KEY)
_VARIABLE = re.compile(r"\$\{\w+\}")
TAG_KEYS = ("aws:RequestTag", "aws:ResourceTag", "aws:TagKeys")
Finding = tuple[str, str, str, str]


def risks(name: str, policy: Any) -> Iterator[Finding]:
    """Yield the findings of cloudsplaining."""
    results = scan_policy(policy)
    for risk in RISKS:
        for found in results[risk]["findings"] if results.get(risk) else []:
            yield CLOUDSPLAINING, risk, name, found if isinstance(found, str) else found["type"]


def policy_errors(name: str, policy: Any) -> Iterator[Finding]:
    """Yield actions, resources and condition keys of statements that do not fit together."""
    for statement in policy["Statement"]:
        where = f"{name}.{statement.get('Sid', '')}"
        for rule, what in _statement_errors(statement):
            yield AUTHORIZATION, rule, where, what


def _statement_errors(statement: Any) -> Iterator[tuple[str, str]]:
    resources, used = _as_list(statement.get("Resource", [])), set()  # a trust policy has none
    for pattern in _as_list(statement["Action"]):
        actions = _actions(pattern)
        if not actions:
            yield UNKNOWN_ACTION, pattern
            continue
        types = [each for action in actions for each in _resource_types(action)]
        fitting = {one for one in resources if any(_fits(one, each["resource_arn_format"]) for each in types)}
        used |= fitting
        if resources and not fitting:
            yield UNSUPPORTED_ACTION, pattern
        keys = {key for each in types for key in each["condition_keys"]}
        for key in _keys(statement):
            if not any(_is_key(key, known) for known in keys):
                yield UNSUPPORTED_KEY, f"{pattern} {key}"
    yield from ((UNSUPPORTED_RESOURCE, one) for one in resources if one not in used)


def _actions(pattern: str) -> list[str]:
    service = pattern.split(":", maxsplit=1)[0]
    return [
        action for action in get_actions_for_service(service) if fnmatchcase(action.lower(), pattern.lower())
    ]


def _resource_types(action: str) -> list[Any]:
    service, name = action.split(":")
    found: list[Any] = get_action_data(service, name)[service]
    return found


def _fits(resource: str, arn_format: str) -> bool:
    """Return whether an ARN can match both a statement's resource and a resource type of an action."""
    if resource == "*" or arn_format == "*":
        return resource == "*"
    return _overlap(resource, _VARIABLE.sub("*", arn_format))


@cache
def _overlap(one: str, other: str) -> bool:
    """Return whether a text can match both of two patterns with `*`."""
    if one.startswith("*") or other.startswith("*"):
        if not one.startswith("*"):
            one, other = other, one
        return _overlap(one[1:], other) or (other != "" and _overlap(one, other[1:]))
    if not one or not other:
        return one == other
    return one[0] == other[0] and _overlap(one[1:], other[1:])


def _keys(statement: Any) -> Iterator[str]:
    """Yield keys that only some requests have, except those of identity providers, which lack a reference."""
    services = get_all_service_prefixes()
    for keys in statement.get("Condition", {}).values():
        for key in keys:
            if key.split(":")[0] in services or key.startswith(TAG_KEYS):
                yield key


def _is_key(key: str, known: str) -> bool:
    return fnmatchcase(key.lower(), _VARIABLE.sub("*", known).lower())


def _as_list(part: Any) -> list[str]:
    return [part] if isinstance(part, str) else part


if __name__ == "__main__":
    policies = json.load(sys.stdin)
    findings = [
        *(each for name, policy in policies["identity"].items() for each in risks(name, policy)),
        *(
            each
            for kind in policies.values()
            for name, policy in kind.items()
            for each in policy_errors(name, policy)
        ),
    ]
    rules = {CLOUDSPLAINING: RISKS, AUTHORIZATION: POLICY_ERRORS}
    json.dump({"rules": rules, "findings": findings}, sys.stdout)
