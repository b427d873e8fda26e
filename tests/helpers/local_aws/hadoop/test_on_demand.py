"""A server that starts with the first connection."""

import socket
import threading

from helpers.local_aws.hadoop.on_demand import OnDemand


class Echo:
    """Returns what it receives on a connection after the other side has closed it."""

    def __init__(self) -> None:
        self.starts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))

    def start(self) -> int:
        self.starts += 1
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self._listener.getsockname()[1])

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            with client, client.makefile("rb") as stream:
                client.sendall(stream.read())


def ask(port: int, words: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(words)
        client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as stream:
            return stream.read()


def test_the_server_starts_once_and_at_the_first_connection() -> None:
    echo = Echo()
    on_demand = OnDemand(echo.start)
    assert echo.starts == 0

    large = b"x" * 1_000_000
    assert [ask(on_demand.port, words) for words in (b"one", b"", large)] == [b"one", b"", large]
    assert echo.starts == 1


def test_a_closed_port_accepts_nobody() -> None:
    echo = Echo()
    on_demand = OnDemand(echo.start)
    on_demand.close()

    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", on_demand.port)) != 0
    assert echo.starts == 0
