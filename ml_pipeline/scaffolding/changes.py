"""Creates, edits and deletes several files: all of them, or none."""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from helpers.errors import UserError
from helpers.files import write_atomically


@dataclass(frozen=True)
class Changes:
    """The changes of a command to the files of a checkout."""

    root: Path
    created: Mapping[str, str] = field(default_factory=dict)
    """The text of each new file, by its path relative to the root."""
    edited: Mapping[str, str] = field(default_factory=dict)
    """The new text of each existing file, by its path relative to the root."""
    deleted: Collection[str] = ()
    """The paths of deleted files, relative to the root."""
    note: str = ""
    """What to check afterwards."""

    def apply(self) -> Iterator[str]:
        """Apply all changes. If one of them fails, restore all files.

        Yields:
            A message for each file, and the note.

        Raises:
            UserError: a new file already exists, or a file cannot be written.
        """
        existing = [path for path in self.created if (self.root / path).exists()]
        if existing:
            raise UserError(
                f"{', '.join(existing)} already exist{'' if len(existing) > 1 else 's'}",
                hint="Choose another name, or remove the file",
            )
        before = {path: (self.root / path).read_bytes() for path in (*self.edited, *self.deleted)}
        new_folders = {
            folder
            for path in self.created
            for folder in (self.root / path).parents
            if folder.is_relative_to(self.root) and not folder.exists()
        }
        written: list[Path] = []
        try:
            for path, text in self.created.items():
                target = self.root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("x", encoding="utf-8", newline="\n") as file:
                    written.append(target)
                    file.write(text)
            for path, text in self.edited.items():
                write_atomically(self.root / path, text)
            for path in self.deleted:
                (self.root / path).unlink()
        except BaseException as error:
            self._restore(written, before, new_folders)
            if isinstance(error, OSError):
                raise UserError(
                    f"{error.filename} cannot be written: {error.strerror}; nothing was changed",
                    hint="Make the folder writable, then run the command again",
                ) from error
            if isinstance(error, UserError):
                raise UserError(f"{error.message}; nothing was changed", hint=error.hint) from error
            raise
        self._remove_empty_folders()
        yield from (f"Created {path}" for path in self.created)
        yield from (f"Edited {path}" for path in self.edited)
        yield from (f"Deleted {path}" for path in self.deleted)
        if self.note:
            yield self.note

    def _remove_empty_folders(self) -> None:
        """Remove folders that are empty except for compiled modules. Python could import them otherwise."""
        emptied = {self.root / folder for path in self.deleted for folder in Path(path).parents[:-1]}
        for folder in sorted(emptied, reverse=True):
            if all(each.name == "__pycache__" for each in folder.iterdir()):
                shutil.rmtree(folder)

    def _restore(
        self, written: Sequence[Path], before: Mapping[str, bytes], new_folders: Collection[Path]
    ) -> None:
        """Restore the files and folders before the changes."""
        for target in written:
            target.unlink(missing_ok=True)
        for path, content in before.items():
            with suppress(OSError):  # a file that cannot be written was not changed
                if not (self.root / path).exists() or (self.root / path).read_bytes() != content:
                    (self.root / path).write_bytes(content)
        for folder in sorted(new_folders, reverse=True):
            with suppress(OSError):
                folder.rmdir()
