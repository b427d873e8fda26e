"""Which commit this checkout is."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "unknown"


def commit(environment: Mapping[str, str] = os.environ, root: Path = ROOT) -> str:
    """Return the commit of a checkout, with `-dirty` when something in it is not committed.

    A workflow knows what it was started for; elsewhere Git is asked. What is not the root of a repository,
    as an archive unpacked somewhere, has no commit that is known.
    """
    if given := environment.get("GITHUB_SHA"):
        return given
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top) != root:
        return UNKNOWN
    head = _git(root, "rev-parse", "HEAD")
    if head is None:
        return UNKNOWN
    return f"{head}-dirty" if _git(root, "status", "--porcelain") else head


def _git(root: Path, *words: str) -> str | None:
    """Return what Git says, or None where there is no Git, or it has nothing to say."""
    try:
        done = subprocess.run(
            ["git", "-C", root, *words],  # noqa: S607 - the git of whoever runs this
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
