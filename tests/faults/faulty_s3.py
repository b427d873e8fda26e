"""An S3 with faults that depend on the bucket: moto behind a small WSGI application."""

import itertools
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

USER_AGENT = "spark-etl"
SLOW_SECONDS = 3.0
REJECTED_OF = 10
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class FaultyS3:
    """Bucket `throttled` rejects all requests, `slow` responds too late, and `flaky` rejects some requests.

    Requests for other buckets, and those of other clients than jobs, are passed to moto.
    """

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._numbers = itertools.count(1)
        self.rejected = 0
        self.reading = threading.Event()
        """Set while an object below `in/` of the bucket `flaky` is read."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        bucket, _, key = environ["PATH_INFO"].lstrip("/").partition("/")
        if USER_AGENT in environ.get("HTTP_USER_AGENT", ""):
            if bucket == "slow":
                time.sleep(SLOW_SECONDS)
            if bucket == "throttled" or (bucket == "flaky" and next(self._numbers) % REJECTED_OF == 0):
                self.rejected += 1
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                length = ("Content-Length", str(len(SLOW_DOWN)))
                start_response("503 Slow Down", [("Content-Type", "application/xml"), length])
                return [SLOW_DOWN]
            if bucket == "flaky" and key.startswith("in/") and environ["REQUEST_METHOD"] == "GET":
                self.reading.set()
                time.sleep(0.2)
        return self._moto(environ, start_response)


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: failures are reported by the tests."""


@contextmanager
def serving() -> Iterator[tuple[FaultyS3, str]]:
    """Serve within the block; yield the application and its address."""
    application = FaultyS3()
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_QuietHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield application, f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
