"""Collects changes to the files of a checkout, to write all of them together."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.errors import UserError
from helpers.files import read_json_object
from ml_pipeline.scaffolding.changes import Changes

_LIST = re.compile(r'(?<=\[)\n\s*"[^\[\]{}]*(?=\])')
"""A list of strings, which is written on one line."""


class EditedFiles:
    """The files of a checkout with changes that are not yet written. Paths are relative to the root."""

    def __init__(self, root: Path):
        self.root = root
        self._texts: dict[str, str | None] = {}

    def read(self, path: str) -> str:
        """Return the text of a file, including changes.

        Raises:
            KeyError: the file is deleted.
        """
        text = self._texts[path] if path in self._texts else (self.root / path).read_text(encoding="utf-8")
        if text is None:
            raise KeyError(path)
        return text

    def document(self, path: str) -> dict[str, Any]:
        """Return the object in a JSON file, including changes."""
        found: dict[str, Any] = (
            json.loads(self.read(path)) if path in self._texts else read_json_object(self.root / path)
        )
        return found

    def exists(self, path: str) -> bool:
        """Return whether a file exists, including changes."""
        return self._texts[path] is not None if path in self._texts else (self.root / path).exists()

    def text(self, path: str, text: str) -> None:
        """Set the text of a file."""
        self._texts[path] = text

    def create(self, path: str, text: str) -> None:
        """Add a file.

        Raises:
            UserError: the file already exists.
        """
        if self.exists(path):
            raise UserError(f"{path} already exists", hint="Choose another name, or remove the file")
        self._texts[path] = text

    def write(self, path: str, document: Mapping[str, Any]) -> None:
        """Set the content of a JSON file. If the content is unchanged, so is the text."""
        if not self.exists(path) or self.document(path) != document:
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            self._texts[path] = _LIST.sub(lambda found: re.sub(r"\s*\n\s*", " ", found[0]).strip(), text)

    def delete(self, path: str) -> None:
        """Delete a file, if it exists."""
        if self.exists(path):
            self._texts[path] = None

    def paths_in(self, folder: str, pattern: str = "*.json") -> Iterator[str]:
        """Yield the paths of the files of a folder that match a glob pattern, sorted, including changes."""
        found = {path.relative_to(self.root).as_posix() for path in (self.root / folder).glob(pattern)}
        new = {
            path for path in self._texts if Path(path).parent == Path(folder) and Path(path).match(pattern)
        }
        yield from sorted(path for path in found | new if self.exists(path))

    def changes(self) -> Changes:
        """Return the changes to the files of the checkout."""
        there = {path for path in self._texts if (self.root / path).exists()}
        texts = {path: text for path, text in self._texts.items() if text is not None}
        return Changes(
            self.root,
            created={path: text for path, text in texts.items() if path not in there},
            edited={
                path: text
                for path, text in texts.items()
                if path in there and (self.root / path).read_text(encoding="utf-8") != text
            },
            deleted=sorted(there - texts.keys()),
        )
