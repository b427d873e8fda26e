"""Copies files that Spark writes while it runs to where users expect them."""

import re
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from helpers.local_aws.containers.container_job import Output

COPY_SECONDS = 20.0
FOLLOW_SECONDS = 0.5
_EXECUTOR = re.compile(r"--executor-id (\d+)")


class Repeated:
    """Repeats an action while a block runs, and once more at its end."""

    def __init__(self, action: Callable[[], None], seconds: float):
        self._action = action
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._action()

    def _repeat(self) -> None:
        while not self._ended.wait(self._seconds):
            self._action()


def copy_event_logs(source: Path, destination: Path) -> None:
    """Copy Spark's event logs like the image: only regular files, and without `.inprogress` in the name."""
    destination.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir() if source.is_dir() else ():
        if file.is_file() and not file.name.startswith("."):
            partial = destination.parent / f".{file.name}.part"
            try:
                shutil.copyfile(file, partial)
                # Atomically, so that an upload of the folder never sees a partial file.
                partial.replace(destination / file.name.replace(".inprogress", ""))
            except FileNotFoundError:  # the application ended meanwhile and renamed the file
                partial.unlink(missing_ok=True)


class ContainerLogs:
    """Reads what YARN containers append to their output files, for the job's log.

    Args:
        folders: output folders of NodeManagers by instance name.
        log: receives each line and the name of the instance.
    """

    def __init__(self, folders: Mapping[str, Path], log: Output):
        self._folders = folders
        self._log = log
        self._read: dict[Path, int] = {}
        self._names: dict[Path, str] = {}

    def follow(self) -> None:
        """Log the complete lines that are new since the last call."""
        for host, folder in self._folders.items():
            for name in ("stdout", "stderr"):
                for file in sorted(folder.glob(f"application_*/container_*/{name}")):
                    self._follow(file, host)

    def _follow(self, file: Path, host: str) -> None:
        with file.open("rb") as stream:
            stream.seek(self._read.get(file, 0))
            new, newline, _ = stream.read().rpartition(b"\n")
        self._read[file] = self._read.get(file, 0) + len(new + newline)
        for line in new.decode(errors="replace").splitlines():
            self._log(f"[{self._name(file.parent)}] {line}", host)

    def _name(self, container: Path) -> str:
        """Return the kind of process in a container, from the copy of its script next to its output."""
        if container not in self._names:
            script = (container / "launch_container.sh").read_text(errors="replace")
            executor = _EXECUTOR.search(script)
            self._names[container] = f"executor {executor[1]}" if executor else "application master"
        return self._names[container]
