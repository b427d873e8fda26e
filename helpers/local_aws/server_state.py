"""The state file of this checkout's server, with which other commands find the server."""

import json
import os
import secrets
import shlex
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from helpers.environments import LOCAL, Environment
from helpers.errors import UserError
from helpers.local_aws.credentials import Credentials

HOST = "127.0.0.1"
STATE_FILE = "server.json"
SHELL_FILE = "environment.sh"
"""Sourced by make's commands: a shell needs a tenth of the time of Python."""
NOT_RUNNING = "The embedded AWS does not run"
START = "Start it with: make up"
HEALTH_PATH = "/_local_aws/health"


@dataclass(frozen=True)
class ServerState:
    """A server process, identified also by its creation time, because process IDs are reused."""

    pid: int
    created: float
    port: int
    access_key: str
    secret_key: str
    keeps_state: bool = False

    @classmethod
    def of_this_process(cls, port: int, credentials: Credentials, *, keeps_state: bool) -> "ServerState":
        """Return the state of a server in this process."""
        process, keys = psutil.Process(), (credentials.access_key, credentials.secret_key)
        return cls(process.pid, process.create_time(), port, *keys, keeps_state)

    @classmethod
    def load(cls, folder: Path) -> "ServerState | None":
        """Return the content of the state file, or None if it does not exist or cannot be read."""
        try:
            return cls(**json.loads((folder / STATE_FILE).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, folder: Path) -> None:
        """Write the state file and the shell commands for make, readable only by their owner."""
        for name, text in ((SHELL_FILE, self.shell_lines()), (STATE_FILE, json.dumps(asdict(self)))):
            new = folder / f"{name}.{self.pid}"
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(text)
            new.replace(folder / name)

    @staticmethod
    def remove(folder: Path) -> None:
        """Remove the files if they exist."""
        for name in (STATE_FILE, SHELL_FILE):
            (folder / name).unlink(missing_ok=True)

    @property
    def endpoint(self) -> str:
        """The server's URL."""
        return f"http://{HOST}:{self.port}"

    @property
    def credentials(self) -> Credentials:
        """The credentials that the server accepts."""
        return Credentials(self.access_key, self.secret_key)

    def process(self) -> psutil.Process | None:
        """Return the server's process, or None if it has ended."""
        try:
            process = psutil.Process(self.pid)
            same = process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if same else None

    def environment(self) -> dict[str, str]:
        """Return the variables that direct AWS programs to the server, in the region of `local`."""
        region = Environment(LOCAL).settings.region
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY", ""), HOST])),
        }

    def shell_lines(self) -> str:
        """Return Bash commands that direct the AWS programs of a shell only to the server.

        The user's own AWS settings are removed, except for certificates that other tools need.
        """
        exports = [f"export {name}={shlex.quote(value)}" for name, value in self.environment().items()]
        return "\n".join(
            [
                # A zombie has ended too; it keeps its process ID until it is reaped. On Linux, a file shows
                # its state, which a shell reads in a tenth of the time of ps.
                "if [ -d /proc/self ]",
                f"then read -r _ _ state _ 2>/dev/null < /proc/{self.pid}/stat || state=",
                f"else state=$(ps -o stat= -p {self.pid}) || true; fi",
                f"case $state in ''|Z*) printf '%s\\n' 'Error: {NOT_RUNNING}' 'Hint: {START}' >&2; exit "
                "1;; esac",
                "for name in ${!AWS_@}; do [ $name = AWS_CA_BUNDLE ] || unset $name; done",
                *exports,
                "",
            ]
        )


def new_credentials() -> Credentials:
    """Return random credentials in the form of AWS's."""
    return Credentials(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20))


def state_folder() -> Path:
    """Return the folder of this checkout's server, or $LOCAL_AWS_HOME; create it if it does not exist.

    Raises:
        UserError: the folder is not writable.
    """
    folder = Path(os.environ.get("LOCAL_AWS_HOME") or Path(__file__).parents[2] / ".local_aws")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f"write-probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(
            f"The embedded AWS keeps its state in {folder}, which cannot be written to: {error}",
            hint="Make the folder writable, or set LOCAL_AWS_HOME to one that is",
        ) from error
    return folder


def answers(state: ServerState, path: str) -> bool:
    """Return whether the server responds on a path with its own process ID."""
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{state.endpoint}{path}", timeout=5) as response:
            return bool(json.load(response)["pid"] == state.pid)
    except (OSError, ValueError, KeyError):
        return False
