"""The server process: a WSGI server on loopback, which ends when its state file no longer names it."""

import gc
import os
import shutil
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, make_server

from helpers.errors import UserError
from helpers.local_aws.application import EmbeddedAws
from helpers.local_aws.fault_injection import INJECTION, VARIABLE, Faults
from helpers.local_aws.persistence.variable import FOLDER, is_kept
from helpers.local_aws.server_state import HOST, ServerState, new_credentials

if TYPE_CHECKING:
    from helpers.local_aws.persistence.kept_state import KeptState

WATCH_SECONDS = 1.0
_OBJECTS_BEFORE_A_COLLECTION = 10_000
"""By default (700), collections take a sixth of the time in which moto is imported."""


def serve(folder: Path, port: int, ready: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT, or until the state file is removed or names another server.

    Args:
        folder: folder of the state file and of running jobs.
        port: port on loopback; with 0, the system chooses a free one.
        ready: a file descriptor that is written to when the server is ready.

    Raises:
        UserError: the port is in use, $LOCAL_AWS_FAULTS is not valid, or the state that $LOCAL_AWS_STATE
            requests cannot be kept or restored.
    """
    gc.set_threshold(_OBJECTS_BEFORE_A_COLLECTION)
    INJECTION.faults = Faults.parse(os.environ.get(VARIABLE, ""))
    keeps = is_kept()
    jobs_folder = folder / "jobs"
    # Folders of a killed server; its jobs died with it.
    shutil.rmtree(jobs_folder, ignore_errors=True)
    server = listen(port)
    state = ServerState.of_this_process(server.port, new_credentials(), keeps_state=keeps)
    application = EmbeddedAws(state.endpoint, state.credentials, jobs_folder)
    kept = _keep(folder / FOLDER, application) if keeps else None
    server.app = kept.answering() if kept else application
    gc.freeze()  # modules are never garbage
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    state.save(folder)
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()
    if ready is not None:
        os.write(ready, b"ready")
        os.close(ready)
    while not stopping.wait(WATCH_SECONDS):
        if ServerState.load(folder) != state:
            break
    application.close()
    server.shutdown()
    if kept:
        kept.close()
    shutil.rmtree(jobs_folder, ignore_errors=True)
    if ServerState.load(folder) == state:
        ServerState.remove(folder)


def _keep(folder: Path, application: EmbeddedAws) -> "KeptState":
    from helpers.local_aws.persistence.kept_state import KeptState  # noqa: PLC0415 - most servers do not need it

    return KeptState(folder, application)


def listen(port: int) -> BaseWSGIServer:
    """Return a server on loopback that logs no requests; set its application before it serves.

    Raises:
        UserError: the port is in use.
    """
    from moto.moto_server.werkzeug_app import MotoRequestHandler  # noqa: PLC0415 - takes a second

    class QuietHandler(MotoRequestHandler):  # type: ignore[misc] # moto has no types
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Log nothing: a pipeline run sends thousands of requests."""

    try:
        return make_server(HOST, port, _not_ready, threaded=True, request_handler=QuietHandler)
    except (OSError, SystemExit) as error:
        raise UserError(
            f"Port {port} of {HOST} is taken",
            hint="Set LOCAL_AWS_PORT to another port, or unset it to use a free one",
        ) from error


def _not_ready(_environ: object, _start_response: object) -> list[bytes]:
    raise AssertionError("the application is set before a server serves")
