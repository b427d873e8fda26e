"""What a person is told of an error."""

import pytest
from botocore.exceptions import ClientError

from helpers.errors import explain


@pytest.mark.parametrize(
    ("operation", "code", "hinted"),
    [
        ("PutObject", "AccessDenied", True),
        ("CreateStack", "AccessDenied", False),
        ("PutObject", "SlowDown", False),
    ],
)
def test_a_refused_object_leads_to_who_may_reach_the_buckets(operation: str, code: str, hinted: bool) -> None:
    said = explain(ClientError({"Error": {"Code": code, "Message": "no"}}, operation)) or ""

    assert said.startswith(f"{operation} failed with {code}: no")
    assert ("BreakGlassPrincipalArns in infra/parameters/<environment>.json" in said) is hinted
