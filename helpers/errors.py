"""Errors that the user can fix, and their messages."""

from collections.abc import Mapping, Sequence
from typing import Any

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


SIGN_IN = "Sign in (aws sso login), or set AWS_PROFILE"
RAISE_QUOTA = "Request an increase of the quota, see docs/platform-engineer.md#service-quotas"


class UserError(Exception):
    """An error that the user can fix: what is wrong, and how to continue.

    Its text is the message, followed by a line with the hint.
    """

    def __init__(self, message: str, *, hint: str = ""):
        """Create the error.

        Args:
            message: what is wrong, with the file and the key.
            hint: what to do, as an imperative sentence without a period, or the command to run next.
        """
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nHint: {self.hint}" if self.hint else self.message

    def in_one_line(self) -> str:
        """Return the message and the hint as one line, for a list of problems."""
        return f"{self.message}; {self.hint[0].lower()}{self.hint[1:]}" if self.hint else self.message


def explain(error: Exception) -> UserError | None:
    """Return the message and hint of an error that the user can fix, or None for a defect."""
    # Imported only for an error: commands that do not use AWS start in a third of the time.
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
            return error
        case NoCredentialsError() | PartialCredentialsError() | ProfileNotFound():
            return UserError(f"No usable AWS credentials: {error}", hint=SIGN_IN)
        case (
            SSOError()
            | TokenRetrievalError()
            | CredentialRetrievalError()
            | LoginError()
            | MetadataRetrievalError()
            | NoAuthTokenError()
            | RefreshWithMFAUnsupportedError()
        ):
            return UserError(
                f"The AWS credentials cannot be renewed: {error}", hint="Sign in again with: aws sso login"
            )
        case NoRegionError():
            return UserError("No AWS region is set", hint="Set AWS_REGION, or `region` in the AWS profile")
        case EndpointConnectionError() | HTTPClientError():
            # The embedded AWS may have been stopped since the command read its address.
            local = "://127.0.0.1:" in str(error)
            return UserError(
                f"AWS does not answer: {error}",
                hint="Start the embedded AWS with: make up"
                if local
                else "Check the network and the proxy, then run the command again",
            )
        case ClientError():
            return _rejected(error.operation_name, error.response["Error"])
        case _:
            return None


def _rejected(operation: str, answer: Mapping[str, Any]) -> UserError:
    """Return the message and hint of a request that AWS rejected."""
    code, message = answer["Code"], answer.get("Message", "")
    if code in _BAD_CREDENTIALS:
        return UserError(f"AWS rejects the credentials ({code}: {message})", hint=SIGN_IN)
    text = f"{operation} failed with {code}: {message}"
    if code == "ResourceLimitExceeded":
        return UserError(text, hint=RAISE_QUOTA)
    # A response without a body has only its status as code, for example that of HeadObject.
    if code in ("AccessDenied", "403") and operation in _ON_OBJECTS:
        return UserError(
            f"{text}. From outside the VPC, the buckets answer only the deployment role and the principals "
            "in "
            "BreakGlassPrincipalArns of infra/parameters/<environment>.json",
            hint="Add your role to BreakGlassPrincipalArns and run: make deploy ENV=<environment>",
        )
    if "Throttl" in code or "Unavailable" in code:
        return UserError(text, hint="Run the command again in a minute")
    if "AccessDenied" in code or "Unauthorized" in code:
        return UserError(text, hint=f"Use credentials of a role that is allowed {operation}")
    return UserError(text, hint=f"Look up {code} in the API reference of {operation}")


def one_per_line(problems: Sequence[str]) -> str:
    """Return problems as an indented list, one per line, to append to a message."""
    return "".join(f"\n  - {problem}" for problem in problems)
