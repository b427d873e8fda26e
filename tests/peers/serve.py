"""The servers that moto's tests are run against, each in a process of its own: moto, and the embedded AWS.

`python -m tests.peers.serve moto|embedded` prints its port once it listens, and ends with its standard
input.
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
"""With which moto's tests reset the server and seed its random numbers."""


class OpenEmbeddedAws(EmbeddedAws):
    """The embedded AWS as moto's tests need a server: any credentials are good, and it can be reset."""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        path = environ.get("PATH_INFO", "")
        if path.startswith(MOTO_API):
            if path == f"{MOTO_API}reset":
                self.close()
                self._planes.clear()
                # Otherwise AWS's policies would be loaded twice for each test, a tenth of a second each time.
                get_backend("iam").clear()
            return self._moto(environ, start_response)
        return super().__call__(environ, start_response)

    def _knows(self, key: str) -> bool:
        return True


def main(name: str) -> None:
    """Serve until nobody holds the other end of the standard input."""
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
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # as moto's tests have it in their own process
    main(sys.argv[1])
