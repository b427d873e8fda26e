"""The WSGI application of a server that keeps its state: a change is saved before the response is sent."""

import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from helpers.local_aws import http
from helpers.local_aws.persistence.saving import SOON_SECONDS, Gate, Saver
from helpers.local_aws.persistence.variable import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_READS = re.compile(
    r"(BatchGet|Describe|Detect|Estimate|Filter|Get|Head|Invoke|List|Lookup|Query|Receive|Scan|Search|Simulate"
    r"|Validate)[A-Z]"
)
"""Operations that change nothing or nothing essential, and those that wait for a long time."""
_FORM = "application/x-www-form-urlencoded"


class SavedAnswers:
    """Delays the response to each change until it is saved; reads are answered immediately.

    Args:
        application: the application that responds.
        gate: changes of clients pass it. Requests of the embedded AWS itself bypass it: a client's request
            can cause them, and they would wait for the snapshot that waits for that request.
        is_own: returns whether the embedded AWS itself sends a request.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        saver: Saver,
        gate: Gate,
        is_own: "Callable[[WSGIEnvironment], bool]",
    ):
        self._application, self._saver, self._gate, self._is_own = application, saver, gate, is_own

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Respond to a request."""
        if environ.get("PATH_INFO", "").startswith("/_local_aws/"):
            return self._application(environ, start_response)
        if not is_change(environ):
            body = self._application(environ, start_response)
            self._saver.changed(SOON_SECONDS)
            return body
        if self._is_own(environ):
            body = self._application(environ, start_response)
            self._saver.changed()
            return body
        service = http.signer(environ).service
        started: list[Any] = []
        with self._gate.change():
            body = self._application(environ, _recorder(started))
        change = self._saver.changed()
        if started[0] < "4" and (problem := self._saver.wait(change)):
            message = f"The embedded AWS cannot save its state: {problem}. Unset {VARIABLE} to do without"
            return http.fail(environ, start_response, service, "InternalFailure", message)
        start_response(*started)
        return body


def is_change(environ: "WSGIEnvironment") -> bool:
    """Return whether a request may change something, based on its method or the name of its operation."""
    if environ.get("REQUEST_METHOD") in {"GET", "HEAD", "OPTIONS"}:
        return False
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if not operation and environ.get("CONTENT_TYPE", "").startswith(_FORM):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        operation = dict(parse_qsl(body.decode(errors="replace"))).get("Action", "")
    return not _READS.match(operation)


def _recorder(started: list[Any]) -> "StartResponse":
    """Return a function that records the start of a response, which is sent later."""

    def record(*arguments: Any) -> "Callable[[bytes], object]":
        started[:] = arguments
        return lambda _: None

    return record
