"""A server that starts with the first connection."""

import contextlib
import socket
import threading
from collections.abc import Callable

_LOOPBACK = "127.0.0.1"
_CHUNK = 1 << 16


class OnDemand:
    """A port on loopback that forwards connections to a server, which starts with the first one.

    Args:
        start: starts the server and returns its port, which is also on loopback.
    """

    def __init__(self, start: Callable[[], int]):
        self._start = start
        self._server_port: int | None = None
        self._lock = threading.Lock()
        self._listener = socket.create_server((_LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="on-demand", daemon=True).start()

    def close(self) -> None:
        """Accept no more connections; the server keeps running."""
        with contextlib.suppress(OSError):  # macOS, where closing alone wakes up the accepting thread
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with client:
            with self._lock:
                self._server_port = self._server_port or self._start()
            with socket.create_connection((_LOOPBACK, self._server_port)) as server:
                answers = threading.Thread(target=_copy, args=(server, client), daemon=True)
                answers.start()
                _copy(client, server)
                answers.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # one of the two connections has ended
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
