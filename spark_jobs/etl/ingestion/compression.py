"""Detects compressed files by their names, and decompresses them."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from typing import TYPE_CHECKING, Any, Callable, Iterator

from etl.errors import JobError

if TYPE_CHECKING:
    from etl.storage import Storage, StoredFile


class _StoredStream(io.RawIOBase):
    """A stored file as a stream."""

    def __init__(self, files: Storage, file: StoredFile):
        self._files, self._file = files, file
        self._position = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes into a buffer."""
        end = min(self._position + len(buffer), self._file.size)
        content = self._files.read(self._file, self._position, end) if end > self._position else b""
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def _open_zstd(stream: Any) -> Any:
    try:
        import zstandard  # noqa: PLC0415 - not in the image; a step can add it
    except ImportError:
        raise JobError(
            "Zstandard needs the package zstandard: add it to the step's requirements, or compress "
            "the input with gzip"
        ) from None
    return zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)


class _Deflate(io.RawIOBase):
    """A stream of Hadoop's default codec: a zlib stream without a container format."""

    def __init__(self, stream: Any):
        self._stream, self._decoder, self._ready = stream, zlib.decompressobj(), b""

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes into a buffer."""
        while not self._ready and not self._decoder.eof:
            more = self._stream.read(1 << 20)
            if not more:
                raise EOFError("the file ends before the end of its compressed data")
            self._ready = self._decoder.decompress(more)
        content, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(content)] = content
        return len(content)


CODECS: dict[str, Callable[[Any], Any]] = {
    ".gz": lambda stream: gzip.GzipFile(fileobj=stream),
    ".bz2": bz2.BZ2File,
    ".deflate": _Deflate,
    ".zst": _open_zstd,
}
"""A function that opens a decompressed stream, by file suffix."""
UNSUPPORTED = (".lz4", ".snappy")


def codec_of(name: str) -> str:
    """Return the compression suffix of a name, or an empty string."""
    return next((suffix for suffix in (*CODECS, *UNSUPPORTED) if name.endswith(suffix)), "")


def decompressed(files: Storage, file: StoredFile, block_bytes: int) -> Iterator[bytes]:
    """Yield the content of a compressed file in blocks.

    Raises:
        JobError: the compression is not supported, or the content is damaged.
    """
    codec = codec_of(file.uri)
    if codec in UNSUPPORTED:
        raise JobError(f"{file.uri}: {codec} is not supported: compress the input with gzip")
    try:
        stream = CODECS[codec](io.BufferedReader(_StoredStream(files, file), block_bytes // 4))
        while chunk := stream.read(block_bytes):
            yield chunk
    except (EOFError, OSError, zlib.error, ValueError) as error:
        raise JobError(
            f"{file.uri} cannot be decompressed: replace or remove it ({type(error).__name__}: {error})"
        ) from error
