"""What a person is told of an error."""

import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    LoginRefreshRequired,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

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


def test_a_quota_that_is_used_up_leads_to_how_it_is_raised() -> None:
    message = "The account-level service limit 'ml.m5.4xlarge for processing job usage' is 0 Instances."
    error = ClientError(
        {"Error": {"Code": "ResourceLimitExceeded", "Message": message}}, "CreateProcessingJob"
    )

    said = explain(error) or ""

    assert message in said
    assert "This is a quota of the account and no missing right" in said
    assert "docs/platform-engineer.md#service-quotas" in said


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
    said = explain(error) or ""

    assert said.startswith("The AWS credentials cannot be renewed: ")
    assert said.endswith("Sign in again: aws sso login")


@pytest.mark.parametrize("code", ["ExpiredToken", "RequestExpired", "InvalidToken", "UnauthorizedException"])
def test_credentials_that_aws_refuses_lead_to_signing_in(code: str) -> None:
    said = explain(ClientError({"Error": {"Code": code, "Message": "no"}}, "GetCallerIdentity")) or ""

    assert said == f"AWS refuses the credentials ({code}: no). Sign in again, or set AWS_PROFILE."
