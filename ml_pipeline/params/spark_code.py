"""The files that Spark runs, in spark_jobs/: their content hash, and the options of a job."""

import ast
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import UserError

if TYPE_CHECKING:
    from helpers.spark.packages.bundle import Bundle

FOLDER = Path(__file__).resolve().parents[2] / "spark_jobs"
CODE_FOLDER = "s3://${ArtifactBucketName}/code/${CodeHash}"
"""The location of a step's staged files; the placeholder is their hash."""
PACKAGE_FOLDER = "s3://${ArtifactBucketName}/code/${PackageHash}"
"""The location of a step's staged packages and jars; the placeholder is the hash of their locks."""
ARCHIVE = ".zip"
"""The suffix of a packed package: `etl.zip` contains the folder etl/."""
DEFAULT_HELPERS = ("data_utils.py", "etl.zip")
CONFIGURATION = "configuration.json"
"""The file name that the container requires."""
_OPTION = re.compile(r"--\w[\w-]*")
HASH_DIGITS = 16
"""64 bits are enough to distinguish versions; in a collision, the upload is rejected."""


class SparkCode:
    """The files of a folder, and the locks of packages in it, each read once."""

    def __init__(self, folder: Path | None = None):
        self.folder = folder or FOLDER
        self._read: dict[str, bytes] = {}
        self._bundles: dict[tuple[str | None, tuple[str, ...]], Bundle] = {}

    def read(self, name: str) -> bytes:
        """Return the content of a file; for `<package>.zip`, the packed package of that name.

        Raises:
            UserError: it is missing.
        """
        if name not in self._read:
            package = self.folder / name.removesuffix(ARCHIVE)
            is_package = name.endswith(ARCHIVE) and package.is_dir()
            self._read[name] = _packed(package) if is_package else _content(self.folder / name)
        return self._read[name]

    def hash(self, names: Iterable[str], bundle: "Bundle | None" = None) -> str:
        """Return a hash of a bundle and of the names and contents of files, independent of their order.

        Raises:
            UserError: a file is missing.
        """
        parts = [(name, self.read(name)) for name in set(names)]
        return hash_of([*parts, *([("", bundle.digest.encode())] if bundle else [])])

    def bundle(self, requirements: str | None, jars: Sequence[str]) -> "Bundle | None":
        """Return the packages and jars that lock files pin; None if the step has none.

        Args:
            requirements: the name of the requirements file.
            jars: Maven coordinates.

        Raises:
            UserError: a file is missing, or its lock file is outdated.
        """
        if not requirements and not jars:
            return None
        named = (requirements, tuple(jars))
        if named not in self._bundles:
            from helpers.spark.packages.bundle import read_bundle  # noqa: PLC0415 - few steps have one

            self._bundles[named] = read_bundle(self.folder, *named)
        return self._bundles[named]

    def options(self, name: str) -> frozenset[str]:
        """Return the options in a job's code, such as `--input_table`; empty if it cannot be parsed."""
        try:
            tree = ast.parse(self.read(name))
        except (SyntaxError, ValueError, UserError):
            return frozenset()
        own = frozenset(_options(tree))
        return own or frozenset(option for path in self._imported(tree) for option in _options_of(path))

    def _imported(self, tree: ast.Module) -> Iterator[Path]:
        """Yield the modules of this folder's packages that the code imports from."""
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and "." in node.module:
                path = self.folder.joinpath(*node.module.split(".")).with_suffix(".py")
                if path.is_file():
                    yield path

    @property
    def modules(self) -> frozenset[str]:
        """The module names of these files and packages."""
        return frozenset({*(name.removesuffix(".py") for name in self.names), *self._packages})

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all Python files."""
        return tuple(sorted(path.name for path in self.folder.glob("*.py")))

    @property
    def _packages(self) -> Iterator[str]:
        return (path.parent.name for path in self.folder.glob("*/__init__.py"))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"there is no file {path}", hint="Create it, or name another") from None


def _packed(package: Path) -> bytes:
    """Return a zip file of the Python files of a package, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(package.rglob("*.py")):
            name = path.relative_to(package.parent).as_posix()
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes())  # ZipInfo defaults to a date in 1980
    return buffer.getvalue()


def _options_of(path: Path) -> Iterator[str]:
    try:
        yield from _options(ast.parse(path.read_bytes()))
    except (SyntaxError, ValueError):
        return


def _options(tree: ast.Module) -> Iterator[str]:
    """Yield the options that the code names, such as `--input_table`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _OPTION.fullmatch(node.value):
            yield node.value


def hash_of(parts: Iterable[tuple[str, bytes]]) -> str:
    """Return a hash of names and contents, independent of their order."""
    digest = hashlib.sha256()
    for name, content in sorted(parts):
        # Lengths keep a name and its content apart, and one file from the next.
        for part in (name.encode(), content):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:HASH_DIGITS]
