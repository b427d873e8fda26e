"""The content of S3 objects, each in a separate file that is written once and read on demand."""

import io
import os
import uuid
from collections.abc import Callable
from copyreg import __newobj__  # type: ignore[attr-defined] # how pickle creates objects
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from moto.s3.models import FakeKey

SMALL_BYTES = 4096
"""Maximum bytes of content within the snapshot: one file per access log would be slower."""


class StoredContent:
    """Replaces moto's temporary file for the content of an object."""

    def __init__(self, file: Path):
        self.file = file
        self._position = 0

    def seek(self, position: int) -> None:
        """Set the position for the next read."""
        self._position = position

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, by default all remaining ones."""
        with self.file.open("rb") as file:
            file.seek(self._position)
            found = file.read(size)
        self._position += len(found)
        return found

    def close(self) -> None:
        """Do nothing: the file is removed when no snapshot refers to it."""


class ObjectContents:
    """The content files of one folder."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._files: WeakKeyDictionary[Any, Path] = WeakKeyDictionary()
        self._named: set[str] = set()

    def reduce(self, key: Any) -> tuple[Any, ...]:
        """Return how pickle recreates an object (a FakeKey); write its content unless already written."""
        state = {**key.__dict__, "_value_buffer": self._content(key)}
        return __newobj__, (FakeKey,), state, None, None, _set_state

    def reduce_content(self, content: StoredContent) -> tuple[Callable[..., StoredContent], tuple[str, int]]:
        """Return how pickle recreates stored content: by file name, because the folder can be moved."""
        return open_content, (content.file.name, content.file.stat().st_size)

    def open(self, name: str, size: int) -> StoredContent:
        """Return stored content.

        Raises:
            FileNotFoundError: the file does not exist or is incomplete.
        """
        file = self._folder / name
        if file.stat().st_size != size:
            raise FileNotFoundError(f"{file} has not the {size} bytes that were written")
        return StoredContent(file)

    def begin(self) -> None:
        """Start a snapshot."""
        self._named = set()

    def remove_unnamed(self) -> None:
        """Remove the files that the new snapshot does not name, after it has replaced the previous one."""
        for entry in os.scandir(self._folder):
            if entry.name not in self._named:
                (self._folder / entry.name).unlink(missing_ok=True)

    def _content(self, key: Any) -> StoredContent | io.BytesIO:
        buffer = key._value_buffer
        if isinstance(buffer, io.BytesIO):
            return io.BytesIO(buffer.getvalue())
        if isinstance(buffer, StoredContent):
            self._named.add(buffer.file.name)
            return buffer
        if key not in self._files:
            try:
                content = _bytes_of(buffer)
            except ValueError:  # closed: the object was deleted, but is still referenced
                return io.BytesIO()
            if len(content) <= SMALL_BYTES:
                return io.BytesIO(content)
            self._files[key] = self._write(content)
        self._named.add(self._files[key].name)
        return StoredContent(self._files[key])

    def _write(self, content: bytes) -> Path:
        file = self._folder / uuid.uuid4().hex
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        return file


def open_content(name: str, size: int) -> StoredContent:
    """Placeholder for `ObjectContents.open`, with which the unpickler replaces it."""
    raise NotImplementedError(name, size)


def _bytes_of(buffer: Any) -> bytes:
    """Return the content of moto's temporary file without changing its position, which a request may use."""
    inner = buffer._file
    if isinstance(inner, io.BytesIO):
        return inner.getvalue()
    inner.flush()
    descriptor = inner.fileno()
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _set_state(key: Any, state: dict[str, Any]) -> None:
    key.__dict__.update(state)  # not moto's __setstate__, which would copy the content
