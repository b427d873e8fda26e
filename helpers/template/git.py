"""Runs Git, and shows its errors to the user."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import UserError


@dataclass(frozen=True)
class Git:
    """A repository with a working tree."""

    folder: Path

    def __call__(
        self, *words: str, given: str | None = None, variables: Mapping[str, str] | None = None
    ) -> str:
        """Run a Git command and return its standard output, without the trailing newline.

        Args:
            words: the command and its arguments.
            given: the standard input.
            variables: further environment variables.

        Raises:
            UserError: the command failed; the message is that of Git.
        """
        done = self.run(*words, given=given, variables=variables)
        if done.returncode:
            raise UserError(
                f"git {words[0]}: {done.stderr.strip() or done.stdout.strip()}",
                hint="Correct what git reports, then run the command again",
            )
        return done.stdout.removesuffix("\n")

    def run(
        self, *words: str, given: str | None = None, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a Git command that may fail; see `__call__`."""
        return subprocess.run(
            ["git", "-C", str(self.folder), *words],  # noqa: S607 -- whichever git the user has
            input=given,
            env={**os.environ, "LC_ALL": "C", **(variables or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def commit(self, name: str) -> str | None:
        """Return the commit that a revision names, or None if it does not exist."""
        done = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return done.stdout.strip() or None

    def merged(self, ours: str, base: str, theirs: str) -> str | None:
        """Return the three-way merge of texts, or None if the changes to the base conflict."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / name for name in ("ours", "base", "theirs")]
            for path, text in zip(paths, (ours, base, theirs), strict=True):
                path.write_text(text, encoding="utf-8", newline="\n")
            done = self.run("merge-file", "--stdout", *map(str, paths))
        return done.stdout if done.returncode == 0 else None
