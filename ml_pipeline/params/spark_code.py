"""The files that Spark runs, in spark_jobs/: their content hash, and the options that a job takes."""

import ast
import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import UserError

if TYPE_CHECKING:
    from helpers.spark.packages.bundle import Bundle

FOLDER = Path(__file__).resolve().parents[2] / "spark_jobs"
CODE_FOLDER = "s3://${ArtifactBucketName}/code/${CodeHash}"
"""Where the files of a step are staged; the placeholder is the hash of these files."""
PACKAGE_FOLDER = "s3://${ArtifactBucketName}/code/${PackageHash}"
"""Where the packages and jars of a step are staged; the placeholder is the hash of their locks."""
DEFAULT_HELPERS = ("data_utils.py",)
CONFIGURATION = "configuration.json"
"""The name that the container looks for."""
HASH_DIGITS = 16
"""64 bits distinguish more versions than anybody writes; a collision would be rejected, not run."""


class SparkCode:
    """The files of a folder, and the locks of packages in it, each read once."""

    def __init__(self, folder: Path | None = None):
        self.folder = folder or FOLDER
        self._read: dict[str, bytes] = {}
        self._bundles: dict[tuple[str | None, tuple[str, ...]], Bundle] = {}

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

    def hash(self, names: Iterable[str], bundle: "Bundle | None" = None) -> str:
        """Return a hash of the names and contents of files, whatever their order, and of a bundle.

        Raises:
            UserError: one is missing.
        """
        parts = [(name, self.read(name)) for name in set(names)]
        return hash_of([*parts, *([("", bundle.digest.encode())] if bundle else [])])

    def bundle(self, requirements: str | None, jars: Sequence[str]) -> "Bundle | None":
        """Return the packages and jars that lock files pin; None where a step names none.

        Args:
            requirements: the name of the file of requirements.
            jars: Maven coordinates.

        Raises:
            UserError: a file is missing, or its lock file does not fit it.
        """
        if not requirements and not jars:
            return None
        named = (requirements, tuple(jars))
        if named not in self._bundles:
            from helpers.spark.packages.bundle import read_bundle  # noqa: PLC0415 - few steps have one

            self._bundles[named] = read_bundle(self.folder, *named)
        return self._bundles[named]

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

    @property
    def modules(self) -> frozenset[str]:
        """The names that jobs import these files by."""
        return frozenset(name.removesuffix(".py") for name in self.names)

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
