"""Policies of several kinds that apply to the same request."""

from dataclasses import replace
from typing import Any

import pytest

from helpers.local_aws.access.evaluation import AccessRequest, Policies, evaluate

ROLE = "arn:aws:iam::123456789012:role/r"
REQUEST = AccessRequest(ROLE, "s3:GetObject", "arn:aws:s3:::b/k", "123456789012")
FOREIGN = replace(REQUEST, principal="arn:aws:iam::210987654321:role/r")
ON_KEY = AccessRequest(ROLE, "kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/k", "123456789012")


def policy(effect: str = "Allow", **members: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "*", "Resource": "*", **members}
    return {"Statement": [{key: value for key, value in statement.items() if value is not None}]}


NOTHING: dict[str, Any] = {"Statement": []}


@pytest.mark.parametrize(
    ("request_", "policies", "reason"),
    [
        (REQUEST, Policies(), "because no identity-based policy allows the s3:GetObject action"),
        (REQUEST, Policies([policy()]), None),
        (REQUEST, Policies([policy(Action="s3:get*")]), None),
        (REQUEST, Policies([policy(Action="s3:Put*")]), "because no identity-based policy"),
        (REQUEST, Policies([policy(Action=None, NotAction="s3:*")]), "because no identity-based policy"),
        (REQUEST, Policies([policy(Resource="arn:aws:s3:::c/*")]), "because no identity-based policy"),
        (REQUEST, Policies([policy(Resource=None, NotResource="arn:aws:s3:::c/*")]), None),
        (REQUEST, Policies([policy(), policy("Deny")]), "with an explicit deny in an identity-based policy"),
        (REQUEST, Policies([policy()], boundary=NOTHING), "because no permissions boundary allows"),
        (REQUEST, Policies([policy()], boundary=policy("Deny")), "explicit deny in a permissions boundary"),
        (REQUEST, Policies([policy()], endpoint=NOTHING), "because no VPC endpoint policy allows"),
        (REQUEST, Policies([], resource=policy(Principal={"AWS": ROLE})), None),
        (REQUEST, Policies([], resource=policy(Principal="*")), None),
        (
            REQUEST,
            Policies([], boundary=NOTHING, resource=policy(Principal={"AWS": ROLE})),
            "because no permissions boundary",
        ),
        (REQUEST, Policies([policy()], resource=NOTHING), None),
        (
            REQUEST,
            Policies([policy()], resource=policy("Deny", Principal="*")),
            "with an explicit deny in a resource-based policy",
        ),
        # A key allows no one whom its policy does not name; for the account, other policies must allow too.
        (ON_KEY, Policies([policy()], resource=NOTHING), "because no resource-based policy allows"),
        (ON_KEY, Policies([policy()], resource=policy(Principal={"AWS": "123456789012"})), None),
        (
            ON_KEY,
            Policies([], resource=policy(Principal={"AWS": "arn:aws:iam::123456789012:root"})),
            "because no identity-based policy",
        ),
        (
            ON_KEY,
            Policies([policy()], resource=policy(Principal={"AWS": "arn:aws:iam::210987654321:root"})),
            "because no resource-based policy",
        ),
        # A principal of another account needs the permission of both accounts.
        (FOREIGN, Policies([policy()]), "because no resource-based policy allows"),
        (FOREIGN, Policies([policy()], resource=NOTHING), "because no resource-based policy allows"),
        (FOREIGN, Policies([], resource=policy(Principal="*")), "because no identity-based policy allows"),
        (FOREIGN, Policies([policy()], resource=policy(Principal="*")), None),
        (FOREIGN, Policies([policy()], resource=policy(Principal={"AWS": "210987654321"})), None),
    ],
)
def test_which_policies_apply(request_: AccessRequest, policies: Policies, reason: str | None) -> None:
    found = evaluate(request_, policies)

    if reason is None:
        assert found is None
    else:
        assert found is not None
        assert reason in found.reason(request_.action)
