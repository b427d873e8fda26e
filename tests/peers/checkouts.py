"""Checkouts of other repositories, read at a fixed commit regardless of what is checked out."""

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import UserError


@dataclass(frozen=True)
class Source:
    """A public repository at a commit.

    Attributes:
        variable: variable of `make test-peers` with the path of a checkout.
        remote: its URL.
        commit: the full hash.
        paths: the required paths; empty for all.
    """

    variable: str
    remote: str
    commit: str
    paths: tuple[str, ...] = ()

    def extract(self, checkout: Path, folder: Path) -> None:
        """Write the files into a folder.

        Raises:
            UserError: the checkout does not exist, or it does not have the commit.
        """
        archive = subprocess.run(
            ["git", "-C", str(checkout), "archive", self.commit, *self.paths],
            capture_output=True,
            check=False,
        )
        if archive.returncode:
            cause = archive.stderr.decode().strip()
            raise UserError(
                f"{self.variable}={checkout} has no commit {self.commit} ({cause}). "
                f"Fetch it: git -C {checkout} fetch {self.remote} {self.commit}"
            )
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(folder, filter="data")
