"""IAM's SimulatePrincipalPolicy: evaluates what the policies of a role allow."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from helpers.local_aws.access.conditions import context_of
from helpers.local_aws.access.evaluation import AccessRequest, evaluate
from helpers.local_aws.access.principals import find_principal
from helpers.local_aws.api.response import ACCOUNT, ApiError

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_SUPPORTED = ("Action", "Version", "PolicySourceArn", "ActionNames", "ResourceArns", "ContextEntries")


def simulate_principal_policy(parameters: Mapping[str, str]) -> str:
    """Return the XML response to a request of the query protocol.

    Args:
        parameters: the parameters of the request, such as `ActionNames.member.1`.

    Raises:
        ApiError: NoSuchEntity, or ValidationError for a parameter that is not supported.
    """
    unsupported = sorted({name.split(".")[0] for name in parameters} - {*_SUPPORTED})
    if unsupported:
        message = f"The embedded AWS does not support {', '.join(unsupported)} of SimulatePrincipalPolicy"
        raise ApiError("ValidationError", message)
    principal = find_principal(parameters.get("PolicySourceArn", ""))
    if principal is None:
        raise ApiError("NoSuchEntity", f"The role {parameters.get('PolicySourceArn')} does not exist")
    keys = {
        parameters[f"{entry}.ContextKeyName"]: _members(parameters, f"{entry}.ContextKeyValues")
        for entry in _entries(parameters, "ContextEntries")
    }
    context = context_of({"aws:PrincipalArn": principal.arn, "aws:PrincipalAccount": ACCOUNT, **keys})
    results = []
    for action in _members(parameters, "ActionNames"):
        for resource in _members(parameters, "ResourceArns") or ["*"]:
            denial = evaluate(
                AccessRequest(principal.arn, action, resource, ACCOUNT, context), principal.policies
            )
            decision = "allowed" if denial is None else "explicitDeny" if denial.statement else "implicitDeny"
            results.append(
                f"<member><EvalActionName>{escape(action)}</EvalActionName>"
                f"<EvalResourceName>{escape(resource)}</EvalResourceName>"
                f"<EvalDecision>{decision}</EvalDecision>"
                "<MatchedStatements/><MissingContextValues/></member>"
            )
    return (
        f'<SimulatePrincipalPolicyResponse xmlns="{_NAMESPACE}"><SimulatePrincipalPolicyResult>'
        f"<IsTruncated>false</IsTruncated><EvaluationResults>{''.join(results)}</EvaluationResults>"
        "</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    )


def _members(parameters: Mapping[str, str], name: str) -> Sequence[str]:
    return [parameters[entry] for entry in _entries(parameters, name)]


def _entries(parameters: Mapping[str, str], name: str) -> Sequence[str]:
    """Return the parameter names of a list's entries in order, such as `ActionNames.member.1`."""
    prefix = f"{name}.member."
    numbers = {int(key.removeprefix(prefix).split(".")[0]) for key in parameters if key.startswith(prefix)}
    return [f"{prefix}{number}" for number in sorted(numbers)]
