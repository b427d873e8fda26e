"""The WSGI application of a server whose state is kept: a change is answered once it is saved."""

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
"""Operations that change nothing, or nothing that would be missed, and those that wait for long."""
_FORM = "application/x-www-form-urlencoded"


class SavedAnswers:
    """Holds back the answer to each change until that is saved; reads are answered at once.

    Args:
        application: what answers.
        gate: is passed by clients' changes. Those of the embedded AWS itself pass it by: some are part of a
            client's, and would wait for the snapshot that waits for the client's.
        is_own: whether a request is of the embedded AWS itself.
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
        """Answer a request."""
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
    """Return whether a request may change something, by its method or the name of its operation."""
    if environ.get("REQUEST_METHOD") in {"GET", "HEAD", "OPTIONS"}:
        return False
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if not operation and environ.get("CONTENT_TYPE", "").startswith(_FORM):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        operation = dict(parse_qsl(body.decode(errors="replace"))).get("Action", "")
    return not _READS.match(operation)


def _recorder(started: list[Any]) -> "StartResponse":
    """Return what takes the start of an answer, to be sent later; none is sent by the function it returns."""

    def record(*arguments: Any) -> "Callable[[bytes], object]":
        started[:] = arguments
        return lambda _: None

    return record
