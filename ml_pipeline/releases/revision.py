"""The commit of this checkout."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from helpers.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "unknown"
DIRTY = "-dirty"


def commit(environment: Mapping[str, str] = os.environ, root: Path = ROOT) -> str:
    """Return the commit of a checkout, with the suffix `-dirty` if it has uncommitted changes.

    A workflow has the commit in its environment; elsewhere Git returns it. A folder that is not the root of a
    repository, such as an unpacked archive, has no known commit.
    """
    if given := environment.get("GITHUB_SHA"):
        return given
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top) != root:
        return UNKNOWN
    head = _git(root, "rev-parse", "HEAD")
    if head is None:
        return UNKNOWN
    return f"{head}{DIRTY}" if _git(root, "status", "--porcelain") else head


def descends(new: str, old: str, root: Path = ROOT) -> bool | None:
    """Return whether a commit has another one in its history; None if the repository does not have both.

    Raises:
        UserError: the checkout has no history.
    """
    if _git(root, "rev-parse", "--is-shallow-repository") == "true":
        raise UserError(
            "This checkout has no history to look into",
            hint="Fetch it with: git fetch --unshallow, or fetch-depth: 0 in a workflow",
        )
    new, old = (each.removesuffix(DIRTY) for each in (new, old))
    if None in [_git(root, "cat-file", "-e", f"{each}^{{commit}}") for each in (new, old)]:
        return None
    return _git(root, "merge-base", "--is-ancestor", old, new) is not None


def _git(root: Path, *words: str) -> str | None:
    """Return the output of Git, or None if Git is not installed or fails."""
    try:
        done = subprocess.run(
            ["git", "-C", root, *words],  # noqa: S607 - the user's git
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
