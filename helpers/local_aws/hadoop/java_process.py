"""A JVM whose classes Python calls with Py4J, which is part of pyspark."""

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from py4j.java_gateway import GatewayParameters, JavaGateway
from py4j.protocol import Py4JError

from helpers.errors import UserError
from helpers.supervision import supervised_command

# It logs an error for each object that Python releases after its JVM has ended.
logging.getLogger("py4j").setLevel(logging.CRITICAL + 1)

_START_SECONDS = 60
_GRACE_SECONDS = 2
_OUTPUT_LINES = 20
"""Lines of output of a JVM that does not start, for the error message."""


class JavaProcess:
    """A JVM that ends with all its child processes when it is closed or when this process dies.

    Args:
        java_home: folder of the Java installation.
        class_path: class path of the JVM.
        options: options of the JVM.
        folder: working directory of the JVM.

    Raises:
        UserError: the JVM did not start.
    """

    def __init__(self, java_home: Path, class_path: Sequence[Path], options: Sequence[str], folder: Path):
        self._gateway: JavaGateway | None = None
        self._stop = threading.Event()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        jars = os.pathsep.join(map(str, class_path))
        command = [
            str(java_home / "bin" / "java"),
            *options,
            "-cp",
            jars,
            "py4j.GatewayServer",
            "--enable-auth",
            "0",
        ]
        environment = {
            **supervised_command.inherited(),
            "JAVA_HOME": str(java_home),
            "HOME": str(folder),
            "HADOOP_USER_NAME": "root",
        }
        self._thread = threading.Thread(
            target=self._run, args=(command, environment, folder), name="hadoop", daemon=True
        )
        self._thread.start()
        port, token = self._line(), self._line()
        if not port.isdigit():
            self.close()
            raise UserError(
                f"Java did not start: {port} {token} {self._rest()}",
                hint="Check JAVA_HOME and the free memory, then run the pipeline again",
            )
        parameters = GatewayParameters(port=int(port), auth_token=token, auto_convert=True)
        self._gateway = JavaGateway(gateway_parameters=parameters)

    @property
    def packages(self) -> Any:
        """Return the root of all Java packages: `packages.java.io.File` is a class."""
        return self._gateway.jvm if self._gateway else None

    @property
    def is_alive(self) -> bool:
        """Whether the JVM runs."""
        return self._thread.is_alive()

    def exit(self, seconds: float) -> None:
        """Let the JVM exit by itself, as some options require, and wait at most this many seconds."""
        with contextlib.suppress(Py4JError):  # the JVM cannot respond
            self.packages.java.lang.System.exit(0)
        self._thread.join(seconds)

    def close(self) -> None:
        """Stop the JVM, and wait until it has ended."""
        if self._gateway:
            self._gateway.close()  # otherwise Py4J logs an error for each closed connection
        self._stop.set()
        self._thread.join()

    def _run(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        supervised_command.run(
            list(command), environment, folder, self._lines.put, self._stop, grace=_GRACE_SECONDS
        )
        self._lines.put(None)

    def _line(self) -> str:
        try:
            return self._lines.get(timeout=_START_SECONDS) or ""
        except queue.Empty:
            return f"no answer within {_START_SECONDS} seconds"

    def _rest(self) -> str:
        lines: list[str] = []
        while not self._lines.empty() and len(lines) < _OUTPUT_LINES:
            lines.append(self._lines.get() or "")
        return " ".join(lines)
