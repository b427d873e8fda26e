"""Errors that the user can fix, and their messages."""

from collections.abc import Sequence

_BAD_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnauthorizedException",
        "UnrecognizedClientException",
    }
)

_ON_OBJECTS = frozenset(
    {
        *("CreateMultipartUpload", "DeleteObject", "DeleteObjects", "GetObject", "HeadBucket", "HeadObject"),
        *("ListMultipartUploads", "ListObjectVersions", "ListObjectsV2", "PutObject", "UploadPart"),
    }
)


RAISE_QUOTA = (
    "This is a quota of the account and no missing right; how to raise it: "
    "docs/platform-engineer.md#service-quotas"
)


class UserError(Exception):
    """An error that the user can fix; the message names the problem and the fix."""


def explain(error: Exception) -> str | None:
    """Return one clear message for an error that a person can fix, or None for a defect of ours."""
    # Imported for an error only: programs that talk to no AWS start in a third of the time.
    from botocore.exceptions import (  # noqa: PLC0415
        ClientError,
        CredentialRetrievalError,
        EndpointConnectionError,
        HTTPClientError,
        LoginError,
        MetadataRetrievalError,
        NoAuthTokenError,
        NoCredentialsError,
        NoRegionError,
        PartialCredentialsError,
        ProfileNotFound,
        RefreshWithMFAUnsupportedError,
        SSOError,
        TokenRetrievalError,
    )

    match error:
        case UserError():
            return str(error)
        case NoCredentialsError() | PartialCredentialsError() | ProfileNotFound():
            return f"No usable AWS credentials: {error}. Sign in (`aws sso login`), or set AWS_PROFILE."
        case (
            SSOError()
            | TokenRetrievalError()
            | CredentialRetrievalError()
            | LoginError()
            | MetadataRetrievalError()
            | NoAuthTokenError()
            | RefreshWithMFAUnsupportedError()
        ):
            return f"The AWS credentials cannot be renewed: {error} Sign in again: aws sso login"
        case NoRegionError():
            return "No AWS region: set AWS_REGION, or `region` in the AWS profile."
        case EndpointConnectionError() | HTTPClientError():
            # Its process may be there for a moment after its port is closed.
            local = "://127.0.0.1:" in str(error)
            hint = ". The embedded AWS does not run. Start it with: make up" if local else ""
            return f"AWS does not answer: {error}{hint}"
        case ClientError():
            code = error.response["Error"]["Code"]
            message = error.response["Error"].get("Message", "")
            if code in _BAD_CREDENTIALS:
                return f"AWS refuses the credentials ({code}: {message}). Sign in again, or set AWS_PROFILE."
            text = f"{error.operation_name} failed with {code}: {message}"
            if code == "ResourceLimitExceeded":
                return f"{text} {RAISE_QUOTA}"
            # An answer without a body has no code but its status.
            if code in ("AccessDenied", "403") and error.operation_name in _ON_OBJECTS:
                return (
                    f"{text}. From outside the VPC the buckets answer the deployment role only, and whoever "
                    "BreakGlassPrincipalArns in infra/parameters/<environment>.json names: add your role "
                    "there and deploy."
                )
            return text
        case _:
            return None


def one_per_line(problems: Sequence[str]) -> str:
    """Return problems as an indented list, one per line, for a message that names them all at once."""
    return "".join(f"\n  - {problem}" for problem in problems)
