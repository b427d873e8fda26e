"""Whether SageMaker may assume a role, by the role's trust policy."""

from moto.iam.models import iam_backends

from helpers.local_aws.access.conditions import context_of
from helpers.local_aws.access.evaluation import AccessRequest, Policies, document_of, refusal
from helpers.local_aws.api.response import ACCOUNT
from helpers.local_aws.fault_injection import INJECTION

SERVICE = "sagemaker.amazonaws.com"


class RoleError(Exception):
    """SageMaker cannot assume a role; the message is SageMaker's."""


def check_role_trust(role_arn: str, region: str) -> None:
    """Check that a role exists and that its trust policy lets SageMaker assume it for this account.

    Raises:
        RoleError: it does not.
    """
    roles = iam_backends[ACCOUNT]["aws"].roles.values()
    role = next((role for role in roles if role.arn == role_arn), None)
    if role is not None and not INJECTION.is_propagating(role.create_date):
        context = context_of(
            {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:sagemaker:{region}:{ACCOUNT}:*"}
        )
        request = AccessRequest(SERVICE, "sts:AssumeRole", role_arn, ACCOUNT, context)
        trust = document_of(role.assume_role_policy_document)
        if refusal(request, Policies(resource=trust)) is None:
            return
    raise RoleError(
        f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
        f"'{SERVICE}' to assume the role."
    )
