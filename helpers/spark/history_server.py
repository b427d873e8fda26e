"""Spark's own history server for event logs, for one user on this machine.

It is part of pyspark and needs no Docker. It listens only on loopback, reads logs in S3 with the same
connector as jobs on the embedded AWS, and always ends with the process that started it. It gets the session's
credentials through environment variables, so no file or log contains them. When they expire, it must be
restarted.
"""

import json
import os
import re
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyspark

from helpers.errors import SIGN_IN, UserError
from helpers.project_settings import project_settings
from helpers.spark import java, s3a_jars
from helpers.spark.class_data_sharing import shared_classes
from helpers.supervision import supervised_command

if TYPE_CHECKING:
    from boto3 import Session

PORT = 18080
"""Spark's default port."""

_UPDATE_SECONDS = 2
_TIMEOUT_SECONDS = 60
_POLL_SECONDS = 0.25
_PROGRAM = "org.apache.spark.deploy.history.HistoryServer"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Server:
    """The input of a history server: settings for its file, and environment variables."""

    port: int
    settings: Mapping[str, str]
    environment: Mapping[str, str]

    @property
    def address(self) -> str:
        """The address of its web page."""
        return f"http://127.0.0.1:{self.port}"


def serve(
    server: Server,
    ready: Callable[[str], None],
    stop: threading.Event,
    application: str | None = None,
    timeout: float = _TIMEOUT_SECONDS,
) -> None:
    """Run a history server until `stop` is set.

    Args:
        server: the settings and variables.
        ready: receives the address of the application's page, or of the list, when it is available.
        stop: when set, ends the server.
        application: the ID of an application that must be loaded first.
        timeout: maximum seconds to wait for the application.

    Raises:
        UserError: the server ended, or the application did not appear.
    """
    output: deque[str] = deque(maxlen=200)
    codes: list[int] = []
    with tempfile.TemporaryDirectory(prefix="spark-history-") as folder:
        file = Path(folder) / "history.conf"
        file.write_text("".join(f"{name} {value}\n" for name, value in server.settings.items()))
        command = [
            str(Path(pyspark.__file__).parent / "bin" / "spark-class"),
            _PROGRAM,
            "--properties-file",
            str(file),
        ]
        thread = threading.Thread(
            target=lambda: codes.append(
                supervised_command.run(command, server.environment, Path(folder), output.append, stop)
            )
        )
        thread.start()
        try:
            path = _wait(server, application, thread, output, stop, timeout)
            if path is not None:
                ready(f"{server.address}{path}")
            while thread.is_alive() and not stop.is_set():
                thread.join(_POLL_SECONDS)
            if not stop.is_set():
                raise UserError(
                    f"The history server has ended: {_last(output)}",
                    hint="Start it again with: make spark-ui",
                )
        finally:
            stop.set()
            thread.join()


def _wait(
    server: Server,
    application: str | None,
    thread: threading.Thread,
    output: deque[str],
    stop: threading.Event,
    timeout: float,
) -> str | None:
    """Return the path of the requested page when it is available, or None if stopped meanwhile."""
    deadline = time.monotonic() + timeout
    up = False
    while time.monotonic() < deadline and not stop.is_set():
        if not thread.is_alive():
            raise UserError(
                f"The history server did not start: {_last(output)}",
                hint="Check JAVA_HOME, then run: make spark-ui",
            )
        answer = ask(f"{server.address}/api/v1/applications" + (f"/{application}" if application else ""))
        if answer is not None:
            return _page(answer) if application else "/"
        up = up or ask(f"{server.address}/api/v1/version") is not None
        stop.wait(_POLL_SECONDS)
    if stop.is_set():
        return None
    what = f"has no application {application}" if up else "does not answer"
    folder = server.settings["spark.history.fs.logDirectory"]
    raise UserError(
        f"After {timeout:.0f} s the history server on {folder} {what}: {_last(output)}",
        hint="Look at the line above, then run: make spark-ui",
    )


def _page(application: Mapping[str, Any]) -> str:
    """Return the path of an application's page, of its last attempt if it has several."""
    attempt = next((entry["attemptId"] for entry in application["attempts"] if "attemptId" in entry), None)
    return f"/history/{application['id']}/{f'{attempt}/' if attempt else ''}jobs/"


def ask(url: str, timeout: float = _TIMEOUT_SECONDS) -> Any:
    """Return the response of the server's REST API, or None if it does not respond within `timeout` s."""
    try:
        with _DIRECT.open(url, timeout=timeout) as answer:
            return json.load(answer)
    except (OSError, ValueError):  # also an HTTP error: the page is not available yet
        return None


def _last(output: deque[str]) -> str:
    """Return the most informative line of the server's output."""
    relevant = [line for line in output if re.search("Exception|ERROR|Error|No such", line)]
    return (relevant or list(output) or ["it printed nothing"])[-1].strip()


def on_s3(logs: str, session: "Session", port: int = PORT) -> Server:
    """Return the settings and variables of a history server for a folder in S3.

    Args:
        logs: an s3:// or s3a:// URI.
        session: provides credentials, region and endpoint.
        port: port to listen on; 0 selects a free one.

    Raises:
        UserError: there is no Java, a jar is missing, there are no credentials, or the port is in use.
    """
    credentials = session.get_credentials()
    if credentials is None:
        raise UserError("No AWS credentials", hint=SIGN_IN)
    frozen = credentials.get_frozen_credentials()
    environment = {
        "AWS_ACCESS_KEY_ID": frozen.access_key or "",
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key or "",
        **({"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {}),
    }
    endpoint = session.client("s3").meta.endpoint_url
    settings = s3a_settings(endpoint, session.region_name or project_settings().region)
    folder = logs.replace("s3://", "s3a://", 1).rstrip("/") + "/"
    return _server(folder, port, settings, environment, s3a_jars.ensure())


def on_disk(logs: Path, port: int = PORT) -> Server:
    """Return the settings and variables of a history server for a local folder.

    Raises:
        UserError: there is no Java, or the port is in use.
    """
    return _server(logs.resolve().as_uri(), port, {}, {})


def s3a_settings(endpoint: str, region: str) -> dict[str, str]:
    """Return the settings that direct S3A to an endpoint, with the credentials of its environment."""
    own = not endpoint.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    settings = {
        "fs.s3a.aws.credentials.provider": "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
        "fs.s3a.endpoint": endpoint,
        "fs.s3a.endpoint.region": region,
        "fs.s3a.path.style.access": str(own).lower(),
        "fs.s3a.connection.ssl.enabled": str(not endpoint.startswith("http:")).lower(),
    }
    return {f"spark.hadoop.{name}": value for name, value in settings.items()}


def _server(
    folder: str,
    port: int,
    settings: Mapping[str, str],
    environment: Mapping[str, str],
    jars: Sequence[Path] = (),
) -> Server:
    chosen, shared = _free(port), shared_classes()
    archive, first = (shared.java_options, [shared.class_path]) if shared else (None, [])
    return Server(
        chosen,
        {
            "spark.history.fs.logDirectory": folder,
            "spark.history.fs.update.interval": f"{_UPDATE_SECONDS}s",
            "spark.history.ui.port": str(chosen),
            "spark.port.maxRetries": "0",  # otherwise it silently uses the next port
            "spark.ui.showConsoleProgress": "false",
            **settings,
        },
        {
            **supervised_command.inherited(),
            "HOME": str(Path.home()),
            "JAVA_HOME": str(java.java_home()),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_HOME": str(Path(pyspark.__file__).parent),
            "SPARK_LOCAL_IP": "127.0.0.1",  # the address on which the pages are served
            "SPARK_DAEMON_CLASSPATH": os.pathsep.join(map(str, [*first, *jars])),
            "SPARK_DAEMON_JAVA_OPTS": " ".join(
                filter(None, [*java.QUICK_START, archive, os.environ.get("SPARK_DAEMON_JAVA_OPTS")])
            ),
            "SPARK_DAEMON_MEMORY": os.environ.get("SPARK_DAEMON_MEMORY", "1g"),
            **environment,
        },
    )


def _free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UserError(
                f"Port {port} of 127.0.0.1 is taken",
                hint="Name another port, or 0 for any: make spark-ui ARGS='--port 0'",
            ) from None
        return int(probe.getsockname()[1])
