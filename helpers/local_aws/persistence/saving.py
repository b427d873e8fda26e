"""Decides when a snapshot is written, and who waits for it."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SOON_SECONDS = 1.0
"""Maximum delay of a snapshot with changes that no one waits for: access times, the progress of a stack."""
LARGE_BYTES = 8 * 1024 * 1024
"""A larger snapshot takes a tenth of a second or more: no one waits for it, and a pause follows."""
_PAUSE = 3
"""Pause after a large snapshot, as a multiple of the time that it took."""

_log = logging.getLogger(__name__)


class Gate:
    """Lets changes run concurrently, and snapshots between them: a snapshot contains no partial changes."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._inside = 0
        self._closed = False

    @contextmanager
    def change(self) -> Iterator[None]:
        """Make a change as soon as no snapshot is being taken."""
        with self._moved:
            self._moved.wait_for(lambda: not self._closed)
            self._inside += 1
        try:
            yield
        finally:
            with self._moved:
                self._inside -= 1
                self._moved.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Wait for running changes to complete, and block new ones meanwhile."""
        with self._moved:
            self._closed = True
            self._moved.wait_for(lambda: self._inside == 0)
        try:
            yield
        finally:
            with self._moved:
                self._closed = False
                self._moved.notify_all()


class Saver:
    """Saves the state in a background thread when it has changed, once for all changes since the last time.

    Args:
        save: writes the current state, and returns the size of the snapshot in bytes.
    """

    def __init__(self, save: Callable[[], int]):
        self._save = save
        self._moved = threading.Condition()
        self._changes = self._saved = 0
        self._due = float("inf")
        self._is_large = False
        self._problem: str | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="saver", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Save outstanding changes, and end the thread."""
        with self._moved:
            self._closing = True
            self._moved.notify_all()
        self._thread.join()

    def changed(self, within: float = 0.0) -> int:
        """Request a snapshot that starts within some seconds; return the number of this change for `wait`."""
        with self._moved:
            self._changes += 1
            self._due = min(self._due, time.monotonic() + within)
            self._moved.notify_all()
            return self._changes

    def wait(self, change: int) -> str | None:
        """Wait until a change is saved, unless snapshots are large; return an error that prevented it."""
        with self._moved:
            self._moved.wait_for(lambda: self._saved >= change or self._is_large)
            return self._problem

    def _run(self) -> None:
        while self._wait_until_due():
            with self._moved:
                change, self._due = self._changes, float("inf")
            began = time.monotonic()
            self._save_or_note_problem()
            with self._moved:
                self._saved = change
                self._moved.notify_all()
                if self._is_large:
                    self._moved.wait_for(lambda: self._closing, _PAUSE * (time.monotonic() - began))
        self._save_or_note_problem()

    def _wait_until_due(self) -> bool:
        """Wait for a change to save; return False to end the thread afterwards."""
        with self._moved:
            while not self._closing and (left := self._due - time.monotonic()) > 0:
                self._moved.wait(None if left == float("inf") else left)
            return not self._closing

    def _save_or_note_problem(self) -> None:
        try:
            self._is_large = self._save() > LARGE_BYTES
            self._problem = None
        except (
            Exception
        ) as error:  # a full disk, an object that cannot be pickled: reported to the waiting callers
            _log.exception("the state was not saved")
            self._problem = f"{type(error).__name__}: {error}"
