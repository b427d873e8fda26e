"""Requests of the embedded AWS to itself: they reach the application without a socket."""

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.endpoint import convert_to_response_dict
from botocore.model import OperationModel
from botocore.parsers import create_parser
from werkzeug.test import create_environ, run_wsgi_app

from helpers.local_aws.api.response import ACCOUNT

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_WHOLE_OBJECT = {"user-agent", "x-amz-checksum-mode"}
"""The headers of a `GetObject` request without conditions, ranges or keys."""


class _Content(io.BytesIO):
    """The body of a response, as botocore reads that of urllib3."""

    def stream(self, amt: int = 1 << 20, decode_content: bool | None = None) -> Iterator[bytes]:  # noqa: ARG002
        """Yield the body in parts of `amt` bytes."""
        while part := self.read(amt):
            yield part


class DirectRequests:
    """A handler of botocore's event `before-send`, which answers instead of the network."""

    def __init__(self, application: "WSGIApplication"):
        self._application = application

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """Answer a request."""
        url = urlsplit(request.url)
        headers = [(name, _text(value)) for name, value in request.headers.items()]
        body = request.body
        environ = create_environ(
            url.path,
            f"{url.scheme}://{url.netloc}",
            url.query,
            method=request.method,
            headers=headers,
            input_stream=body if hasattr(body, "read") else io.BytesIO(_bytes(body)),
            # A body of unknown length ends with its stream.
            environ_overrides={"wsgi.input_terminated": True},
        )
        content, status, answered = run_wsgi_app(self._application, environ, buffered=True)
        received = HTTPHeaders.from_pairs(answered.items())
        return AWSResponse(request.url, int(status.split()[0]), received, _Content(b"".join(content)))


class DirectReads:
    """A handler of botocore's event `before-call.s3.GetObject`, which reads objects in moto's memory.

    A job with packages reads thousands of small objects, and most of the time of a request is spent on
    signing, routing and checksums. Requests that are not for the current version of an existing object as a
    whole, and those that a bucket policy denies, are left to S3. The response has no checksum, since nothing
    is transferred.
    """

    def __init__(self) -> None:
        self._parser = create_parser("rest-xml")

    def __call__(
        self, model: OperationModel, params: Mapping[str, Any], **_: object
    ) -> tuple[AWSResponse, dict[str, Any]] | None:
        """Return the response, or None to send the request."""
        shape = model.output_shape
        if (
            shape is None
            or params["query_string"]
            or not _WHOLE_OBJECT.issuperset(map(str.lower, params["headers"]))
        ):
            return None
        bucket, _slash, key = unquote(urlsplit(params["url"]).path).removeprefix("/").partition("/")
        found = _readable(bucket, key)
        if found is None:
            return None
        content = found.value
        headers = {**found.response_dict, **found.metadata, "content-length": str(len(content))}
        answer = AWSResponse(params["url"], 200, HTTPHeaders.from_pairs(headers.items()), _Content(content))
        return answer, self._parser.parse(convert_to_response_dict(answer, model), shape)


def _readable(bucket_name: str, key: str) -> Any:
    """Return an object of moto that no bucket policy protects from reading, or None."""
    from moto.backends import get_backend  # noqa: PLC0415 - moto is configured before it is imported
    from moto.iam.access_control import PermissionResult  # noqa: PLC0415
    from moto.s3.utils import ARCHIVE_STORAGE_CLASSES  # noqa: PLC0415

    backend = get_backend("s3")[ACCOUNT]["aws"]
    bucket = backend.buckets.get(bucket_name)
    found = bucket and backend.get_object(bucket_name, key)
    if not found or found.storage_class in ARCHIVE_STORAGE_CLASSES:
        return None
    arn = f"arn:{bucket.partition}:s3:::{bucket_name}/{key}"
    return None if bucket.get_permission("s3:GetObject", arn) == PermissionResult.DENIED else found


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(body: str | bytes | bytearray | None) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")
