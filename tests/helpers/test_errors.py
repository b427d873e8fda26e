"""How errors are shown to users."""

import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    LoginRefreshRequired,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from helpers.errors import UserError, explain


@pytest.mark.parametrize(
    ("operation", "code", "hinted"),
    [
        ("PutObject", "AccessDenied", True),
        ("CreateStack", "AccessDenied", False),
        ("PutObject", "SlowDown", False),
    ],
)
def test_a_rejected_object_leads_to_who_may_reach_the_buckets(
    operation: str, code: str, hinted: bool
) -> None:
    shown = explain(ClientError({"Error": {"Code": code, "Message": "no"}}, operation))

    assert shown
    assert shown.message.startswith(f"{operation} failed with {code}: no")
    assert ("BreakGlassPrincipalArns" in shown.hint) is hinted


def test_a_quota_that_is_used_up_leads_to_how_it_is_raised() -> None:
    message = "The account-level service limit 'ml.m5.4xlarge for processing job usage' is 0 Instances."
    error = ClientError(
        {"Error": {"Code": "ResourceLimitExceeded", "Message": message}}, "CreateProcessingJob"
    )

    shown = explain(error)

    assert shown
    assert message in shown.message
    assert shown.hint == "Request an increase of the quota, see docs/platform-engineer.md#service-quotas"


@pytest.mark.parametrize(
    "error",
    [
        SSOTokenLoadError(error_msg="Token for work does not exist"),
        UnauthorizedSSOTokenError(),
        TokenRetrievalError(provider="sso", error_msg="Token has expired and refresh failed"),
        CredentialRetrievalError(provider="custom-process", error_msg="expired"),
        LoginRefreshRequired(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_credentials_that_cannot_be_renewed_lead_to_signing_in(error: Exception) -> None:
    shown = explain(error)

    assert shown
    assert shown.message.startswith("The AWS credentials cannot be renewed: ")
    assert shown.hint == "Sign in again with: aws sso login"


@pytest.mark.parametrize("code", ["ExpiredToken", "RequestExpired", "InvalidToken", "UnauthorizedException"])
def test_credentials_that_aws_rejects_lead_to_signing_in(code: str) -> None:
    shown = explain(ClientError({"Error": {"Code": code, "Message": "no"}}, "GetCallerIdentity"))

    assert str(shown) == (
        f"AWS rejects the credentials ({code}: no)\nHint: Sign in (aws sso login), or set AWS_PROFILE"
    )


def test_an_error_in_a_list_takes_one_line() -> None:
    assert UserError("a.json is missing", hint="Create it").in_one_line() == "a.json is missing; create it"
    assert UserError("no").in_one_line() == str(UserError("no")) == "no"
