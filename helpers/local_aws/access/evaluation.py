"""Evaluates a request against all policies that apply to it, by IAM's rules.

An explicit Deny in any policy denies the request. Otherwise, the permissions boundary and the VPC endpoint
policy, if any, must allow it, and an identity-based or a resource-based policy must allow it too. For KMS
keys and roles, the resource-based policy must allow it. A principal of another account needs both.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from helpers.local_aws.access.conditions import (
    Context,
    evaluate_conditions,
    matches,
    substitute_policy_variables,
)

Document = Mapping[str, Any]
PolicyKind = Literal[
    "identity-based policy", "permissions boundary", "resource-based policy", "VPC endpoint policy"
]
_ALLOWED_BY_RESOURCE_ALONE = ("kms:", "sts:AssumeRole")
"""Actions that need a resource-based policy: without its Allow, identity-based policies have no effect."""


@dataclass(frozen=True)
class AccessRequest:
    """A request to authorize.

    Attributes:
        principal: ARN of a role or a user, or the name of a service.
        action: such as `sagemaker:CreateProcessingJob`.
        resource: ARN of the resource, or `*`.
        account: account of the resource.
        context: the condition keys.
    """

    principal: str
    action: str
    resource: str
    account: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Policies:
    """All policies that apply. None: there is no policy of this kind. All other kinds must allow."""

    identity: Sequence[Document] = ()
    boundary: Document | None = None
    resource: Document | None = None
    endpoint: Document | None = None


@dataclass(frozen=True)
class Denial:
    """The reason for a denial: the kind of policy, and the statement of an explicit Deny."""

    kind: PolicyKind
    statement: Mapping[str, Any] | None = None

    def reason(self, action: str) -> str:
        """Return the reason in AWS's words."""
        article = "an" if self.kind.startswith("identity") else "a"
        if self.statement is not None:
            return f"with an explicit deny in {article} {self.kind}"
        return f"because no {self.kind} allows the {action} action"


def evaluate(request: AccessRequest, policies: Policies) -> Denial | None:
    """Return why a request is denied, or None if it is allowed."""
    kinds: list[tuple[PolicyKind, Sequence[Document]]] = [
        ("identity-based policy", policies.identity),
        ("permissions boundary", _list(policies.boundary)),
        ("resource-based policy", _list(policies.resource)),
        ("VPC endpoint policy", _list(policies.endpoint)),
    ]
    for kind, documents in kinds:
        for statement in _statements(documents, "Deny"):
            if _statement_applies(statement, request):
                return Denial(kind, statement)
    return _implicit_deny(request, policies)


def _implicit_deny(request: AccessRequest, policies: Policies) -> Denial | None:
    by_identity = _allows(policies.identity, request)
    by_resource = [
        how
        for statement in _statements(_list(policies.resource), "Allow")
        if _statement_applies(statement, request)
        and (how := _match_principal(statement.get("Principal"), request))
    ]
    is_foreign = request.principal.startswith("arn:") and request.principal.split(":")[4] != request.account
    resource_policy_decides = (
        request.action.startswith(_ALLOWED_BY_RESOURCE_ALONE) and policies.resource is not None
    )
    if (is_foreign or resource_policy_decides) and not by_resource:
        return Denial("resource-based policy")
    if not by_identity and (is_foreign or "principal" not in by_resource):
        return Denial("identity-based policy")
    if policies.boundary is not None and not _allows([policies.boundary], request):
        return Denial("permissions boundary")
    if policies.endpoint is not None and not _allows([policies.endpoint], request):
        return Denial("VPC endpoint policy")
    return None


def document_of(policy: str | Document) -> Document:
    """Return a policy document from its JSON text or from the document itself."""
    document: Document = json.loads(policy) if isinstance(policy, str) else policy
    return document


def _list(document: Document | None) -> list[Document]:
    return [] if document is None else [document]


def _statements(documents: Sequence[Document], effect: str) -> Iterator[Mapping[str, Any]]:
    for document in documents:
        found = document.get("Statement", [])
        for statement in found if isinstance(found, list) else [found]:
            if statement.get("Effect") == effect:
                yield statement


def _allows(documents: Sequence[Document], request: AccessRequest) -> bool:
    return any(_statement_applies(statement, request) for statement in _statements(documents, "Allow"))


def _statement_applies(statement: Mapping[str, Any], request: AccessRequest) -> bool:
    return (
        _matches_action(statement, request.action)
        and _matches_resource(statement, request)
        and ("Principal" not in statement or _match_principal(statement["Principal"], request) is not None)
        and ("NotPrincipal" not in statement or _match_principal(statement["NotPrincipal"], request) is None)
        and evaluate_conditions(statement.get("Condition", {}), request.context)
    )


def _matches_action(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(matches(each.lower(), action.lower()) for each in _texts(statement["NotAction"]))
    return any(matches(each.lower(), action.lower()) for each in _texts(statement.get("Action", ())))


def _matches_resource(statement: Mapping[str, Any], request: AccessRequest) -> bool:
    def is_named(member: str) -> bool:
        patterns = (substitute_policy_variables(text, request.context) for text in _texts(statement[member]))
        return any(pattern is not None and matches(pattern, request.resource) for pattern in patterns)

    if "NotResource" in statement:
        return not is_named("NotResource")
    # A role's trust policy has no Resource element: it applies to the role.
    return "Resource" not in statement or is_named("Resource")


def _match_principal(principal: Any, request: AccessRequest) -> Literal["principal", "account"] | None:
    """Return whether a statement names the principal or its account, which delegates to its policies."""
    if principal == "*":
        return "principal"
    named = {kind: _texts(values) for kind, values in (principal or {}).items()}
    if request.principal in named.get("Service", []) or request.principal in named.get("Federated", []):
        return "principal"
    accounts = named.get("AWS", [])
    if "*" in accounts or request.principal in accounts:
        return "principal"
    if not request.principal.startswith("arn:"):
        return None
    account = request.principal.split(":")[4]
    roots = (account, f"arn:aws:iam::{account}:root")
    return "account" if any(each in roots for each in accounts) else None


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(each) for each in value]
