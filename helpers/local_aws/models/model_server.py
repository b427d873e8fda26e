"""The server of a model, as a client for transform jobs and endpoints."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from helpers.local_aws.xgboost_container import container, environment

_POLL_SECONDS = 0.05
_TIMEOUT_SECONDS = 600
_PING_ERROR = (
    "Model container failed to respond to ping; Please ensure /ping endpoint is implemented and responds "
    "with an HTTP 200 status code"
)


class ServerError(Exception):
    """The server does not respond as expected; the message is that of FailureReason."""


class ServerAnswer(NamedTuple):
    """The response of the server."""

    status: int
    content_type: str
    body: bytes


class ModelServer:
    """Starts the server of a model, and stops it with all its processes."""

    def __init__(self, root: Path, variables: Mapping[str, str], log: Callable[[str], None]):
        """Args: root: the folder with the model that represents the container's `/`."""
        self._root = root
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=container.serve, args=(root, variables, log, self._stop), daemon=True
        )
        self._port = 0

    def __enter__(self) -> "ModelServer":
        environment.program("serving")  # raises UserError here, not in the thread
        self._thread.start()
        file = self._root / environment.PORT_FILE
        while not file.exists():
            if not self._thread.is_alive():
                raise ServerError(_PING_ERROR)
            time.sleep(_POLL_SECONDS)
        self._port = int(file.read_text())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def ping(self) -> None:
        """Check whether the server is healthy.

        Raises:
            ServerError: it is not.
        """
        if self._request("GET", "/ping").status != http.client.OK:
            raise ServerError(_PING_ERROR)

    def execution_parameters(self) -> dict[str, Any]:
        """Return the server's limits for requests; empty if it has none."""
        answer = self._request("GET", "/execution-parameters")
        parameters: dict[str, Any] = json.loads(answer.body) if answer.status == http.client.OK else {}
        return parameters

    def invoke(self, payload: bytes, content_type: str | None, accept: str | None) -> bytes:
        """Return the predictions for some records.

        Raises:
            ServerError: the server rejects the records or does not respond.
        """
        answer = self.send(payload, content_type, accept)
        if answer.status not in {http.client.OK, http.client.NO_CONTENT}:
            text = answer.body.decode(errors="replace").strip()
            raise ServerError(f"Bad HTTP status received from algorithm: {answer.status}: {text}")
        return answer.body

    def send(self, payload: bytes, content_type: str | None, accept: str | None) -> ServerAnswer:
        """Return the response to some records, with any status.

        Raises:
            ServerError: the server does not respond.
        """
        given = {"Content-Type": content_type, "Accept": accept}
        headers = {name: value for name, value in given.items() if value}
        return self._request("POST", "/invocations", payload, headers)

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> ServerAnswer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return ServerAnswer(response.status, response.getheader("Content-Type", ""), response.read())
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(f"Model server did not respond to {path} request: {error!r}") from error
        finally:
            connection.close()
