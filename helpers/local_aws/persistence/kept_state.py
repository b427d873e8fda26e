"""The folder of a kept state, which a server restores at startup, and saves after changes and at shutdown."""

import fcntl
import gc
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import UserError
from helpers.local_aws.fault_injection import INJECTION
from helpers.local_aws.persistence import snapshot
from helpers.local_aws.persistence.answering import SavedAnswers
from helpers.local_aws.persistence.interruption import end_stack_operations
from helpers.local_aws.persistence.moto_state import moto_state, restore_moto
from helpers.local_aws.persistence.object_contents import ObjectContents
from helpers.local_aws.persistence.pickling import dumps, loads
from helpers.local_aws.persistence.saving import SOON_SECONDS, Gate, Saver
from helpers.local_aws.persistence.variable import KEEP, VARIABLE
from helpers.local_aws.registry.groups import MODEL_PACKAGE_GROUPS
from helpers.local_aws.studio import STUDIOS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from helpers.local_aws.application import EmbeddedAws


class KeptState:
    """The state of one server, which holds it exclusively.

    Raises:
        UserError: another server uses the state, it is damaged, or another version wrote it. It stays
            unchanged.
    """

    def __init__(self, folder: Path, application: "EmbeddedAws"):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        self._folder, self._application = folder, application
        self._lock = _locked(folder)
        contents = folder / "objects"
        contents.mkdir(mode=0o700, exist_ok=True)
        self._contents = ObjectContents(contents)
        self._restore()
        self._gate = Gate()
        self._saver = Saver(self._save)
        application.on_change = self._saver.changed
        INJECTION.during = self._change
        self._saver.changed(SOON_SECONDS)  # saves the end of interrupted operations

    def answering(self) -> "WSGIApplication":
        """Return the application, which saves each change before it responds."""
        return SavedAnswers(self._application, self._saver, self._gate, self._application.is_own)

    def close(self) -> None:
        """Save the state, and release it for the next server."""
        self._saver.close()
        os.close(self._lock)

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._gate.change():
            yield
        self._saver.changed()

    def _save(self) -> int:
        with self._gate.closed():
            state = {
                "moto": moto_state(),
                "studio": STUDIOS.state(),
                "model_package_groups": MODEL_PACKAGE_GROUPS.state(),
                "regions": self._application.state(),
            }
            pickled = dumps(state, self._contents)
        snapshot.write(self._folder, pickled)
        self._contents.remove_unnamed()
        return len(pickled)

    def _restore(self) -> None:
        pickled = snapshot.read(self._folder)
        if pickled is None:
            return
        try:
            with _no_collections():
                state = loads(pickled, self._contents)
        except (OSError, AttributeError, ImportError, EOFError, pickle.UnpicklingError) as error:
            raise snapshot.unusable_snapshot(self._folder, f"is damaged ({error})") from error
        restore_moto(state["moto"])
        end_stack_operations(state["moto"])
        STUDIOS.restore(state["studio"])
        MODEL_PACKAGE_GROUPS.restore(state["model_package_groups"])
        self._application.restore(state["regions"])


def _locked(folder: Path) -> int:
    """Return the descriptor of a lock on a folder, which ends with this process at the latest."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UserError(
            f"{VARIABLE}={KEEP}: another server uses the state in {folder}",
            hint="End it (make down), or set LOCAL_AWS_HOME to another folder",
        ) from None
    return descriptor


@contextmanager
def _no_collections() -> Iterator[None]:
    """Disable garbage collection while thousands of objects are created."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
