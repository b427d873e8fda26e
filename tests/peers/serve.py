"""Servers for moto's tests, each in a separate process: moto, and the embedded AWS.

`python -m tests.peers.serve moto|embedded` prints its port when it listens, and ends when its standard input
is closed.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from moto.backends import get_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from helpers.local_aws.application import EmbeddedAws
from helpers.local_aws.server import listen
from helpers.local_aws.server_state import HOST, new_credentials

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOTO_API = "/moto-api/"
"""Path with which moto's tests reset the server and seed its random numbers."""


class OpenEmbeddedAws(EmbeddedAws):
    """The embedded AWS for moto's tests: it accepts any credentials, and can be reset."""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Respond to a request."""
        path = environ.get("PATH_INFO", "")
        if path.startswith(MOTO_API):
            if path == f"{MOTO_API}reset":
                self.close()
                self._planes.clear()
                # Otherwise AWS's policies would be loaded twice per test, a tenth of a second each time.
                get_backend("iam").clear()
            return self._moto(environ, start_response)
        return super().__call__(environ, start_response)

    def _knows(self, key: str) -> bool:
        return True


def main(name: str) -> None:
    """Serve until the standard input is closed."""
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        server = listen(0)
        endpoint = f"http://{HOST}:{server.port}"
        server.app = (
            OpenEmbeddedAws(endpoint, new_credentials(), Path(folder))
            if name == "embedded"
            else DomainDispatcherApplication(create_backend_app)
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # as in the process of moto's tests
    main(sys.argv[1])
