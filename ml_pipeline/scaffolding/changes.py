"""Files that are created and edited together: all of them, or none."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from helpers.errors import UserError
from helpers.files import write_atomically


@dataclass(frozen=True)
class Changes:
    """What a command does to the files of a checkout."""

    root: Path
    created: Mapping[str, str] = field(default_factory=dict)
    """The text of each new file, by its path below the root."""
    edited: Mapping[str, str] = field(default_factory=dict)
    """The new text of each file that exists."""

    def apply(self) -> Iterator[str]:
        """Write all files.

        Yields:
            A line for each file.

        Raises:
            UserError: a file exists already, or cannot be written; then none has changed.
        """
        existing = [path for path in self.created if (self.root / path).exists()]
        if existing:
            raise UserError(f"{', '.join(existing)} exists already: choose another name, or remove the file")
        before = {path: (self.root / path).read_text(encoding="utf-8") for path in self.edited}
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
        except BaseException as error:
            for target in written:
                target.unlink(missing_ok=True)
            for path, text in before.items():
                with suppress(UserError):  # what cannot be written has not been changed either
                    write_atomically(self.root / path, text)
            for folder in sorted(new_folders, reverse=True):
                with suppress(OSError):
                    folder.rmdir()
            if isinstance(error, OSError):
                message = f"{error.filename} cannot be written: {error.strerror}"
                raise UserError(f"{message}; nothing was changed") from error
            if isinstance(error, UserError):
                raise UserError(f"{error}; nothing was changed") from error
            raise
        yield from (f"Created {path}" for path in self.created)
        yield from (f"Edited {path}" for path in self.edited)
