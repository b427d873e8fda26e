"""Reads the lines of event logs: on disk or in S3, plain or compressed, one file or rolled."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from helpers.errors import UserError
from helpers.spark.event_log.compression import CODECS, DamagedError, decoded

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from types_boto3_s3 import S3Client

ROLLED = "eventlog_v2_"
_EVENTS = re.compile(r"events_(\d+)_")
EVENT = b'{"Event":"'
"""The beginning of each line from Spark. Other tools may write spaces or another order of members."""
_NO_EVENT = "this is not an event of Spark"
_RANGE = 8 << 20
"""Bytes per request to S3, which are most of the memory that reading needs."""


class _Named(msgspec.Struct):
    name: str = msgspec.field(name="Event")


_NAMED = msgspec.json.Decoder(_Named)


class EventLogError(UserError):
    """There is no event log, or it cannot be read."""


@dataclass(frozen=True)
class LogFile:
    """A file of an event log, or of a folder of logs."""

    name: str
    """The path relative to the source."""
    place: str
    """The complete path or URI, for messages."""
    modified: datetime
    open: Callable[[], "io.BufferedReader[Any]"]


def lines(source: str | Path, s3: "S3Client | None" = None) -> Iterator[bytes]:
    """Yield the events of a log in order, one line of JSON each.

    Args:
        source: a path, or an s3:// or s3a:// URI, of a file, of the folder of a rolled log, or of a folder of
            logs, in which the newest is read.
        s3: a client, if the source is a URI.

    Raises:
        EventLogError: there is no log, or it is damaged. A truncated log is read up to its end.
    """
    files = find(source, s3)
    for file in files:
        yield from _lines(file, last=file is files[-1])


def find(source: str | Path, s3: "S3Client | None" = None) -> list[LogFile]:
    """Return the files of a log in the order of their events.

    Raises:
        EventLogError: there is no log.
    """
    log = newest(listed(source, s3))
    if not log:
        raise EventLogError(
            f"{source}: there is no Spark event log",
            hint="Name a file or folder with an event log, or run: make start CACHE=off",
        )
    _must_be_whole(log)
    return log


def _must_be_whole(log: Sequence[LogFile]) -> None:
    """Raise an EventLogError if parts of a rolled log are missing or duplicate, as Spark's reader does."""
    numbers = [_number(file)[0] for file in log]
    first = numbers[0] if log[0].name.endswith(".compact") else min(1, numbers[0])
    if numbers != list(range(first, first + len(numbers))):
        folder = log[0].place.rpartition("/")[0]
        raise EventLogError(
            f"{folder}: of a rolled log parts {first} to {numbers[-1]} must be there once each, but there "
            f"are {', '.join(map(str, numbers))}",
            hint="Copy the whole folder",
        )


def listed(source: str | Path, s3: "S3Client | None" = None) -> list[LogFile]:
    """Return all files of a source, including files that are not logs.

    Raises:
        EventLogError: the source is neither a path nor an S3 URI, or does not exist.
    """
    text = str(source)
    if re.match(r"s3a?://", text):
        if s3 is None:
            raise EventLogError(f"{text}: a client of S3 is needed to read it", hint="Pass a client of S3")
        return _in_s3(text, s3)
    if re.match(r"[a-z][a-z0-9+.-]+://", text.removeprefix("file://")):
        raise EventLogError(f"{text} is neither a path nor a URI of S3", hint="Name a path or an s3:// URI")
    return _on_disk(Path(text.removeprefix("file://")))


def newest(files: Sequence[LogFile]) -> list[LogFile]:
    """Return the files of the newest log in the order of their events."""
    logs: dict[str, list[LogFile]] = {}
    for file in files:
        path = PurePosixPath(file.name)
        rolled = path.parent.name.startswith(ROLLED) or bool(_EVENTS.match(path.name))
        if path.name.startswith((".", "appstatus_")) or (rolled and not _EVENTS.match(path.name)):
            continue
        logs.setdefault(str(path.parent) if rolled else file.name, []).append(file)
    if not logs:
        return []
    _, log = max(logs.items(), key=lambda item: (max(file.modified for file in item[1]), item[0]))
    log.sort(key=_number)
    compacted = [index for index, file in enumerate(log) if file.name.endswith(".compact")]
    return log[compacted[-1] :] if compacted else log


def _number(file: LogFile) -> tuple[int, bool]:
    match = _EVENTS.match(PurePosixPath(file.name).name)
    return (int(match[1]) if match else 0), file.name.endswith(".compact")


def _on_disk(path: Path) -> list[LogFile]:
    if not path.exists():
        raise EventLogError(
            f"{path}: there is no such file or folder", hint="Name a file or folder with an event log"
        )
    root = path if path.is_dir() and not path.name.startswith(ROLLED) else path.parent
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return [
        LogFile(
            file.relative_to(root).as_posix(),
            str(file),
            datetime.fromtimestamp(file.stat().st_mtime, UTC),
            lambda file=file: file.open("rb", buffering=1 << 20),  # type: ignore[misc]  # bound here
        )
        for file in files
    ]


def _in_s3(uri: str, s3: "S3Client") -> list[LogFile]:
    bucket, _, key = uri.partition("://")[2].partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    try:
        listed = [entry for page in pages for entry in page.get("Contents", [])]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        raise EventLogError(f"{uri}: there is no such bucket", hint="Check the name of the bucket") from None
    folder = key.rstrip("/") + "/" if key else ""
    root = (
        folder.rstrip("/").rpartition("/")[0] + "/" if PurePosixPath(key).name.startswith(ROLLED) else folder
    )
    exact = [entry for entry in listed if entry["Key"] == key]
    chosen = exact or [entry for entry in listed if entry["Key"].startswith(folder)]
    return [
        LogFile(
            entry["Key"].removeprefix(root),
            f"s3://{bucket}/{entry['Key']}",
            entry["LastModified"],
            lambda entry=entry: io.BufferedReader(  # type: ignore[misc]  # bound here
                _S3Object(s3, bucket, entry["Key"], entry["Size"]), _RANGE
            ),
        )
        for entry in chosen
    ]


class _S3Object(io.RawIOBase):
    """An object that is read range by range, up to the size in its listing.

    The log of a running job is replaced by longer versions with the same beginning.
    """

    def __init__(self, s3: "S3Client", bucket: str, key: str, size: int):
        self._get: Callable[..., Any] = s3.get_object
        self._where = {"Bucket": bucket, "Key": key}
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        end = min(self._at + len(target), self._size)
        if self._at >= end:
            return 0
        with closing(self._get(**self._where, Range=f"bytes={self._at}-{end - 1}")["Body"]) as body:
            content: bytes = body.read()
        target[: len(content)] = content
        self._at += len(content)
        return len(content)


def codec_of(name: str) -> str | None:
    """Return the codec in the name of a log, or None if it is not compressed."""
    suffix = PurePosixPath(name.removesuffix(".inprogress").removesuffix(".compact")).suffix[1:]
    return suffix if suffix in CODECS else None


def _lines(file: LogFile, *, last: bool) -> Iterator[bytes]:
    codec = codec_of(file.name)
    with file.open() as stream, decoded(stream, codec) if codec else stream as content:
        number = 1
        try:
            _must_begin(content.peek(1))
            for line in content:
                if not line.endswith(b"\n") and not _is_json(line):
                    _must_be_last(last)
                    return
                _must_be_event(line)
                yield line
                number += 1
        except DamagedError as error:
            raise EventLogError(
                f"{file.place}: damaged in line {number} or after it: {error}",
                hint="Copy the file again, or use the log of another run",
            ) from None


def _must_begin(content: bytes) -> None:
    """Check the beginning of a file before a line is read: another file can have lines of any length."""
    beginning = content.lstrip()
    if EVENT.startswith(beginning[: len(EVENT)]):
        return
    if not (beginning.startswith(b"{") and b'"Event"' in beginning):
        raise DamagedError(_NO_EVENT)


def _must_be_last(last: bool) -> None:
    if not last:
        raise DamagedError("it breaks off there, and another part follows")


def _must_be_event(line: bytes) -> None:
    if line.startswith(EVENT):
        return
    try:
        name_of(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise DamagedError(_NO_EVENT) from None


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def name_of(line: bytes) -> bytes:
    """Return the name of an event.

    Raises:
        msgspec.DecodeError: the line is not JSON, or has no name.
        UnicodeDecodeError: it is not UTF-8.
    """
    if line.startswith(EVENT):
        return line[len(EVENT) : line.find(b'"', len(EVENT))]
    return _NAMED.decode(line).name.encode()
