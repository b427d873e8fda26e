"""AWS over HTTP: the signer of a request, and responses and errors in the protocol of each service."""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/")

_INVOCATION = re.compile(r"/endpoints/(?P<name>[^/]+)/invocations")
_BUSY = "503 Service Unavailable"


class Signer(NamedTuple):
    """The content of a request's signature; empty for unsigned requests."""

    access_key: str
    region: str
    service: str


def signer(environ: "WSGIEnvironment") -> Signer:
    """Return the access key, region and service that a request is signed for."""
    header = environ.get("HTTP_AUTHORIZATION", "")
    query = parse_qs(environ.get("QUERY_STRING", ""))
    presigned = query.get("X-Amz-Credential", [""])[0]
    if match := _CREDENTIAL.search(header) or _CREDENTIAL.search(f"Credential={presigned}"):
        return Signer(match["key"], match["region"], match["service"])
    # S3 still accepts signature version 2, which boto3 uses for presigned URLs.
    key = query.get("AWSAccessKeyId", [""])[0]
    return Signer(key, "us-east-1", "s3" if key else "")


def describe(environ: "WSGIEnvironment") -> str:
    """Return a short description of a request for the log."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    return str(target or f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}")


def invoked_endpoint(environ: "WSGIEnvironment") -> str | None:
    """Return the name of the endpoint that a request invokes, or None for other requests."""
    match = _INVOCATION.fullmatch(environ.get("PATH_INFO", ""))
    return match["name"] if match else None


def reject_credentials(
    environ: "WSGIEnvironment", start_response: "StartResponse", service: str
) -> Iterable[bytes]:
    """Reject a request with unknown credentials as its service does."""
    message = "The security token included in the request is invalid."
    if "HTTP_X_AMZ_TARGET" in environ:
        return fail(environ, start_response, service, "UnrecognizedClientException", message)
    if service in {"", "s3"}:
        message = "The AWS Access Key Id you provided does not exist in our records."
        return fail(environ, start_response, "s3", "InvalidAccessKeyId", message, "403 Forbidden")
    return fail(environ, start_response, service, "InvalidClientTokenId", message, "403 Forbidden")


def throttle(environ: "WSGIEnvironment", start_response: "StartResponse", service: str) -> Iterable[bytes]:
    """Reject a request with the throttling error of its service."""
    if service == "s3":
        return fail(environ, start_response, "s3", "SlowDown", "Please reduce your request rate.", _BUSY)
    if service == "ec2":
        return fail(environ, start_response, "ec2", "RequestLimitExceeded", "Request limit exceeded.", _BUSY)
    code = "ThrottlingException" if "HTTP_X_AMZ_TARGET" in environ else "Throttling"
    return fail(environ, start_response, service, code, "Rate exceeded")


def reject_expired(
    environ: "WSGIEnvironment", start_response: "StartResponse", service: str
) -> Iterable[bytes]:
    """Reject a request of an expired role session as its service does."""
    if "HTTP_X_AMZ_TARGET" in environ:
        message = "The security token included in the request is expired"
        return fail(environ, start_response, service, "ExpiredTokenException", message)
    if service == "s3":
        return fail(environ, start_response, "s3", "ExpiredToken", "The provided token has expired.")
    message = "The security token included in the request is expired"
    code = "RequestExpired" if service == "ec2" else "ExpiredToken"
    return fail(environ, start_response, service, code, message, "403 Forbidden")


def fail(
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
    service: str,
    code: str,
    message: str,
    status: str = "400 Bad Request",
) -> Iterable[bytes]:
    """Return an error in the protocol of the service."""
    if "HTTP_X_AMZ_TARGET" in environ:
        return respond(start_response, status, {"__type": code, "message": message})
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if service == "s3":
        return respond(start_response, status, f"<Error>{error}</Error>")
    if service == "ec2":
        return respond(
            start_response, status, f"<Response><Errors><Error>{error}</Error></Errors></Response>"
        )
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        body = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
        return respond(start_response, status, body)
    headers = (("x-amzn-ErrorType", code),)  # for REST services
    return respond(start_response, status, {"code": code, "message": message}, headers)


def respond(
    start_response: "StartResponse",
    status: str,
    body: Mapping[str, Any] | str,
    headers: Iterable[tuple[str, str]] = (),
) -> Iterable[bytes]:
    """Return XML text or a JSON object, in which times are seconds since 1970."""
    if isinstance(body, str):
        return _respond(start_response, status, "text/xml", body.encode(), headers)
    content = json.dumps(body, default=_as_json).encode()
    return _respond(start_response, status, "application/x-amz-json-1.1", content, headers)


def respond_bytes(
    start_response: "StartResponse",
    content_type: str,
    content: bytes,
    headers: Iterable[tuple[str, str]] = (),
) -> Iterable[bytes]:
    """Return content of another type."""
    return _respond(start_response, "200 OK", content_type, content, headers)


def _respond(
    start_response: "StartResponse",
    status: str,
    content_type: str,
    content: bytes,
    headers: Iterable[tuple[str, str]],
) -> Iterable[bytes]:
    standard = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(content))),
        ("x-amzn-RequestId", str(uuid.uuid4())),
    ]
    start_response(status, [*standard, *headers])
    return [content]


def _as_json(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} is not part of a response")
