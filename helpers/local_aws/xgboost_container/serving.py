"""The server of the image: `python -m helpers.local_aws.xgboost_container.serving`.

With SAGEMAKER_BATCH it serves batch transforms, with one prediction per line for any accept type.
"""

import json
import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from helpers.local_aws.xgboost_container.errors import UserError
from helpers.local_aws.xgboost_container.predictions import Model, read_rows

_PORT_FILE = "port"
"""File below /opt/ml, the same as `environment.PORT_FILE`."""
_PAGE = "text/html; charset=utf-8"
_MB = 1024 * 1024
_MAX_PAYLOAD = 6 * _MB
_ACCEPTED = ("application/json", "application/jsonlines", "application/x-recordio-protobuf", "text/csv")

Answer = tuple[str, str, str]
"""HTTP status, content type and content."""
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


@cache
def _model(folder: Path) -> Model:
    return Model(folder)


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Respond to /ping, /execution-parameters and /invocations."""
    if "SAGEMAKER_PROGRAM" in os.environ:
        # The image imports the module with this name, and SDK 3 writes an empty one.
        __import__(os.environ["SAGEMAKER_PROGRAM"])
    status, content_type, text = _answer(environ)
    content = text.encode()
    headers = [("Content-Type", content_type), ("Content-Length", str(len(content)))]
    start_response(status, headers)
    return [content]


def _answer(environ: dict[str, Any]) -> Answer:
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/ping":
            _model(_folder())
            return "200 OK", _PAGE, ""
        case "GET", "/execution-parameters":
            return "200 OK", "application/json", json.dumps(_execution_parameters())
        case "POST", "/invocations":
            return _invoke(environ)
    return "404 Not Found", _PAGE, "Not Found"


def _execution_parameters() -> dict[str, Any]:
    return {
        "MaxConcurrentTransforms": _workers(),
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": _MAX_PAYLOAD // _MB,
    }


def _invoke(environ: dict[str, Any]) -> Answer:
    size = int(environ.get("CONTENT_LENGTH") or 0)
    if size > _MAX_PAYLOAD:
        return "413 Request Entity Too Large", _PAGE, "The data value transmitted exceeds the limit."
    payload = environ["wsgi.input"].read(size)
    if not payload:
        return "204 No Content", _PAGE, ""
    try:
        rows = read_rows(payload, environ.get("CONTENT_TYPE"))
    except (UserError, RuntimeError) as error:
        return "415 Unsupported Media Type", _PAGE, str(error)
    try:
        predictions = _model(_folder()).predict(rows)
    except Exception as error:  # any exception of XGBoost for these rows
        return "400 Bad Request", _PAGE, f"Unable to evaluate payload provided: {error}"
    accept = environ.get("HTTP_ACCEPT", "").partition(";")[0].strip().lower()
    if accept in {"", "*/*"}:
        accept = "text/csv"
    if accept not in _ACCEPTED:
        text = f"Accept type {accept} is not supported. Please use supported accept types: {list(_ACCEPTED)}."
        return "406 Not Acceptable", _PAGE, text
    content_type = f"{accept}; charset=utf-8" if accept.startswith("text/") else accept
    if "SAGEMAKER_BATCH" in os.environ:
        return "200 OK", content_type, "\n".join(map(str, predictions.tolist())) + "\n"
    return "200 OK", content_type, _encode(predictions, accept)


def _encode(predictions: Any, accept: str) -> str:
    if accept == "application/json":
        return json.dumps({"predictions": [{"score": each} for each in predictions.tolist()]})
    if accept == "text/csv":
        rows = predictions.reshape(len(predictions), -1).tolist()
        return "".join(",".join(map(str, row)) + "\n" for row in rows)
    raise NotImplementedError(f"the image encodes no {accept} outside of batch transforms")


def _folder() -> Path:
    return Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model"


def _workers() -> int:
    return os.cpu_count() or 1


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types here
    """Gunicorn with a process per core; each loads the model."""

    def load_config(self) -> None:
        """Configure it without a command line."""
        options = {
            "bind": "127.0.0.1:0",
            "workers": _workers(),
            "worker_class": "gthread",
            "threads": 1,
            "timeout": 600,
            "when_ready": _write_port,
            "control_socket_disable": True,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the WSGI application."""
        return application


def _write_port(server: Any) -> None:
    file = Path(os.environ["SAGEMAKER_BASE_DIR"]) / _PORT_FILE
    partial = file.with_suffix(".new")
    partial.write_text(str(server.LISTENERS[0].sock.getsockname()[1]))
    partial.replace(file)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _Server().run()
