"""Jars from a Maven repository: downloaded once per user, by coordinates, and verified by pinned hashes."""

import hashlib
import http.client
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import UserError
from helpers.spark import maven_repository
from helpers.spark.maven_repository import Repository

CACHE_FOLDER = "sagemaker-pyspark-template"
PAUSES = (0.5, 1.0, 2.0)
"""Seconds to wait before each retry after a network error."""

_TIMEOUT = 60


@dataclass(frozen=True)
class Jar:
    """A jar by its Maven coordinates, with the expected size and hash."""

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def coordinate(self) -> str:
        """Return group:artifact:version."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """Return the file name in repositories and in our cache."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> str:
        """Return the path relative to the address of a repository."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.file_name}"


class _WrongContentError(Exception):
    """The content is not that of the pinned jar: truncated, a login page, or another file."""


def ensure(
    jars: Sequence[Jar],
    repository: Repository | None = None,
    cache: Path | None = None,
    log: Callable[[str], None] | None = None,
    pauses: Sequence[float] = PAUSES,
) -> list[Path]:
    """Return the paths of the jars; download missing or damaged ones.

    Args:
        jars: the required jars.
        repository: the source; by default, that of this user (variable, Maven settings, Central).
        cache: the storage folder; by default, one in the user's cache folder.
        log: receives a line about each download; by default, standard error.
        pauses: seconds before each retry.

    Raises:
        UserError: a jar is not available.
    """
    folder = cache or cache_folder("jars")
    missing = [jar for jar in jars if not _is_intact(folder / jar.file_name, jar)]
    if missing:
        source = repository or maven_repository.this_users()
        print_line = log or (lambda line: print(line, file=sys.stderr))
        print_line(
            f"Downloading {', '.join(jar.file_name for jar in missing)} "
            f"({sum(jar.size for jar in missing) / 1e6:.1f} MB, once per user) from {source.url}"
        )
        folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(len(missing)) as pool:
            list(pool.map(lambda jar: _fetch(jar, source, folder, pauses), missing))
    return [folder / jar.file_name for jar in jars]


def cache_folder(name: str) -> Path:
    """Return a folder in the user's cache, below $XDG_CACHE_HOME or ~/.cache."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification requires that relative paths are ignored.
    base = Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"
    return base / CACHE_FOLDER / name


def _is_intact(path: Path, jar: Jar) -> bool:
    try:
        return path.stat().st_size == jar.size and hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256
    except OSError:
        return False


def _fetch(jar: Jar, repository: Repository, folder: Path, pauses: Sequence[float]) -> None:
    """Download a jar into the folder, with retries if they can help."""
    url = f"{repository.url}/{jar.path}"
    for pause in (*pauses, None):
        try:
            _store(_download(url, repository, jar), folder / jar.file_name)
        except (OSError, http.client.HTTPException, _WrongContentError) as error:
            final = isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429
            if pause is None or final:
                raise _rejected(jar, url, repository, error) from None
            time.sleep(pause)
        else:
            return


def _download(url: str, repository: Repository, jar: Jar) -> bytes:
    request = urllib.request.Request(url)  # noqa: S310 -- the scheme was checked with the repository
    if repository.authorization:
        # Not sent after a redirect: the password must not reach another storage host.
        request.add_unredirected_header("Authorization", repository.authorization)
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 -- as above
        content: bytes = answer.read(jar.size + 1)
    found = hashlib.sha256(content).hexdigest()
    if found != jar.sha256:
        size = f"{len(content)} bytes" if len(content) <= jar.size else "more bytes"
        raise _WrongContentError(
            f"{size} with SHA-256 {found}, where {jar.size} with {jar.sha256} are expected"
        )
    return content


def _store(content: bytes, path: Path) -> None:
    """Write a file atomically: other processes see all of it or nothing."""
    handle, name = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _rejected(jar: Jar, url: str, repository: Repository, error: Exception) -> UserError:
    reason = f"HTTP {error.code} {error.reason}" if isinstance(error, urllib.error.HTTPError) else str(error)
    return UserError(
        f"Cannot download {jar.coordinate} from {url} (taken from {repository.source}): {reason}",
        hint=f"Set {maven_repository.VARIABLE} to a Maven repository that this machine reaches "
        "(https://user:password@host/path is allowed), or add a <mirror> of central to ~/.m2/settings.xml, "
        "with unencrypted credentials in <servers>",
    )
