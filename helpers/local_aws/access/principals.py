"""The principals of the account: the account itself and its roles, with the policies that apply to them."""

from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends

from helpers.local_aws.access.evaluation import Document, Policies, document_of
from helpers.local_aws.api.response import ACCOUNT

SESSION = "SageMaker"
ACCOUNT_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
_EVERYTHING = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Principal:
    """A principal: its ARN, the ARN of its session as errors show it, and its identity-based policies."""

    arn: str
    user: str
    policies: Policies


def find_principal(arn: str) -> Principal | None:
    """Return the account or the role with an ARN, or None."""
    if arn == ACCOUNT_ROOT:
        return Principal(arn, arn, Policies(identity=[_EVERYTHING]))
    roles = iam_backends[ACCOUNT]["aws"].roles.values()
    role = next((role for role in roles if role.arn == arn), None)
    if role is None:
        return None
    managed = iam_backends[ACCOUNT]["aws"].managed_policies
    boundary = role.permissions_boundary_arn
    policies = Policies(
        identity=[
            *(document_of(text) for text in role.policies.values()),
            *(_managed(policy) for policy in role.managed_policies.values()),
        ],
        boundary=_managed(managed[boundary]) if boundary else None,
    )
    return Principal(arn, f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.name}/{SESSION}", policies)


def _managed(policy: Any) -> Document:
    return next(document_of(version.document) for version in policy.versions if version.is_default)
