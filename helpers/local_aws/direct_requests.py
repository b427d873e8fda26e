"""Requests of the embedded AWS to itself: they reach the application without a socket."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from werkzeug.test import create_environ, run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


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


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(body: str | bytes | bytearray | None) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")
