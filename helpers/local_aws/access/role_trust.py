"""Checks whether a service may assume a role, by the role's trust policy."""

from moto.iam.models import iam_backends

from helpers.local_aws.access.conditions import context_of
from helpers.local_aws.access.evaluation import AccessRequest, Policies, document_of, evaluate
from helpers.local_aws.api.response import ACCOUNT
from helpers.local_aws.fault_injection import INJECTION

SERVICE = "sagemaker.amazonaws.com"


class RoleError(Exception):
    """SageMaker cannot assume a role; the message is that of SageMaker."""


def check_role_trust(role_arn: str, region: str) -> None:
    """Check that a role exists and that its trust policy allows SageMaker to assume it for this account.

    Raises:
        RoleError: the role does not exist, or SageMaker may not assume it.
    """
    if not is_trusted(role_arn, SERVICE, f"arn:aws:sagemaker:{region}:{ACCOUNT}:*"):
        raise RoleError(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{SERVICE}' to assume the role."
        )


def is_trusted(role_arn: str, service: str, source_arn: str) -> bool:
    """Return whether a role exists and its trust policy allows a service to assume it for this account.

    Args:
        role_arn: ARN of the role.
        service: such as `sagemaker.amazonaws.com`.
        source_arn: ARN of the resource for which the service acts.
    """
    roles = iam_backends[ACCOUNT]["aws"].roles.values()
    role = next((role for role in roles if role.arn == role_arn), None)
    if role is None or INJECTION.is_propagating(role.create_date):
        return False
    context = context_of({"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source_arn})
    request = AccessRequest(service, "sts:AssumeRole", role_arn, ACCOUNT, context)
    trust = document_of(role.assume_role_policy_document)
    return evaluate(request, Policies(resource=trust)) is None
