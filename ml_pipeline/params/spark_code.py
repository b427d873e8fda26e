"""The files that Spark runs, in spark_jobs/: their content hash, and the options that a job takes."""

import ast
import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from helpers.errors import UserError

FOLDER = Path(__file__).resolve().parents[2] / "spark_jobs"
CODE_FOLDER = "s3://${ArtifactBucketName}/code/${CodeHash}"
"""Where the files of a step are staged; the placeholder is the hash of these files."""
DEFAULT_HELPERS = ("data_utils.py",)
CONFIGURATION = "configuration.json"
"""The name that the container looks for."""
HASH_DIGITS = 16
"""64 bits distinguish more versions than anybody writes; a collision would be rejected, not run."""


class SparkCode:
    """The files of a folder, each read once."""

    def __init__(self, folder: Path | None = None):
        self.folder = folder or FOLDER
        self._read: dict[str, bytes] = {}

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            UserError: it is missing.
        """
        if name not in self._read:
            path = self.folder / name
            try:
                self._read[name] = path.read_bytes()
            except (FileNotFoundError, IsADirectoryError):
                raise UserError(f"there is no file {path}; create it, or name another") from None
        return self._read[name]

    def hash(self, names: Iterable[str]) -> str:
        """Return a hash of the names and contents of files, whatever their order.

        Raises:
            UserError: one is missing.
        """
        return hash_of((name, self.read(name)) for name in set(names))

    def options(self, name: str) -> frozenset[str]:
        """Return the options, as `--input_table`, in a job's code; none where it cannot be parsed."""
        try:
            tree = ast.parse(self.read(name))
        except (SyntaxError, ValueError, UserError):
            return frozenset()
        return frozenset(
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("--")
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all Python files."""
        return tuple(sorted(path.name for path in self.folder.glob("*.py")))


def hash_of(parts: Iterable[tuple[str, bytes]]) -> str:
    """Return a hash of names and contents, whatever their order."""
    digest = hashlib.sha256()
    for name, content in sorted(parts):
        # Lengths keep a name and its content apart, and one file from the next.
        for part in (name.encode(), content):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:HASH_DIGITS]
