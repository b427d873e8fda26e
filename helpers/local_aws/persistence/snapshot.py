"""The snapshot file: a header line in JSON with the versions of its writer, then a pickle."""

import hashlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from helpers.errors import UserError
from helpers.local_aws.persistence.variable import KEEP, VARIABLE

FILE = "snapshot"
_PACKAGE = Path(__file__).parents[1]
_REQUIREMENTS = Path(__file__).parents[3] / "requirements.txt"


@dataclass(frozen=True)
class Writer:
    """The software that wrote a snapshot. Only the same software can read it, because it pickles its objects.

    Attributes:
        source: a hash of the embedded AWS, so that no version number must be increased.
    """

    moto: str
    python: str
    requirements: str
    source: str

    @classmethod
    def this(cls) -> "Writer":
        """Return the versions of this process."""
        source = hashlib.sha256()
        for file in sorted(_PACKAGE.rglob("*.py")):
            source.update(file.read_bytes())
        return cls(
            moto=version("moto"),
            python=f"{sys.version_info.major}.{sys.version_info.minor}",
            requirements=hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:16],
            source=source.hexdigest()[:16],
        )

    def difference(self, written: Any) -> str | None:
        """Return the first difference from the software that wrote a snapshot, or None."""
        names = {
            "moto": "moto",
            "python": "Python",
            "requirements": "requirements.txt",
            "source": "helpers/local_aws",
        }
        for key, here in asdict(self).items():
            there = written.get(key)
            if there != here:
                return f"was written by {names[key]} {there}, and this is {here}"
        return None


def write(folder: Path, pickled: bytes) -> None:
    """Replace the snapshot of a folder atomically and durably: it is on disk when this returns."""
    header = {**asdict(_writer()), "bytes": len(pickled), "sha256": hashlib.sha256(pickled).hexdigest()}
    new = folder / f"{FILE}.new"
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        file.write(pickled)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / FILE)


def read(folder: Path) -> bytes | None:
    """Return the pickle of a folder's snapshot, or None if there is none.

    Raises:
        UserError: the snapshot is damaged, or another version wrote it. Nothing was changed.
    """
    try:
        head, _, pickled = (folder / FILE).read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    try:
        header = json.loads(head)
        is_whole = header["sha256"] == hashlib.sha256(pickled).hexdigest()
    except (ValueError, TypeError, KeyError):
        is_whole = False
    if not is_whole:
        raise unusable_snapshot(folder, "is damaged")
    if difference := _writer().difference(header):
        raise unusable_snapshot(folder, difference)
    return pickled


def unusable_snapshot(folder: Path, problem: str) -> UserError:
    """Return the error for a state that cannot be used."""
    return UserError(
        f"{VARIABLE}={KEEP}: the state in {folder} {problem}",
        hint=f"Delete it (rm -r {folder}), or unset {VARIABLE}",
    )


@cache
def _writer() -> Writer:
    """Return the versions of this process as of its start, since its files may change."""
    return Writer.this()
