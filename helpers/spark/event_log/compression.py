"""The codecs of Spark's event logs, decoded in a stream.

Spark names the codec by the suffix of the file. Of these only zstd has a format of general use; lz4, snappy
and lzf come in the block formats of the Java libraries lz4-java, snappy-java and compress-lzf.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, TYPE_CHECKING

import pyarrow
import zstandard

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 1 << 20
_LARGEST_BLOCK = 1 << 28
"""Bytes; Spark's own blocks are of 32 KiB. A larger length is damage, and must not become memory."""


class DamagedError(Exception):
    """The bytes are not what the codec writes."""


def decoded(stream: IO[bytes], codec: str) -> io.BufferedReader:
    """Return a stream of what a compressed stream holds.

    A stream that breaks off ends where it breaks off, as that of an application that still runs.

    Raises:
        DamagedError: on reading, where the content is not of this codec.
    """
    return io.BufferedReader(_Chunks(CODECS[codec](stream)), CHUNK)


class _Chunks(io.RawIOBase):
    def __init__(self, chunks: Iterator[bytes]):
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        while not self._rest:
            try:
                self._rest = memoryview(next(self._chunks))
            except StopIteration:
                return 0
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _zstd(stream: IO[bytes]) -> Iterator[bytes]:
    reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
    try:
        while chunk := reader.read(CHUNK):
            yield chunk
    except zstandard.ZstdError as error:
        raise DamagedError(str(error)) from None


def _gzip(stream: IO[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    try:
        while chunk := stream.read(CHUNK):
            yield inflate.decompress(chunk)
            while inflate.eof and inflate.unused_data:  # files that were appended to each other
                rest = inflate.unused_data
                inflate = zlib.decompressobj(wbits=31)
                yield inflate.decompress(rest)
    except zlib.error as error:
        raise DamagedError(str(error)) from None


def _lz4(stream: IO[bytes]) -> Iterator[bytes]:
    """Decode lz4-java's LZ4BlockOutputStream: magic, method, lengths and checksum before each block."""
    header = struct.Struct("<8sBIII")
    while len(head := stream.read(header.size)) == header.size:
        magic, token, length, original, _ = header.unpack(head)
        if magic != b"LZ4Block":
            raise DamagedError("a block does not begin with LZ4Block")
        block = _block(stream, length)
        if block is None:
            return
        yield block if token & 0xF0 == 0x10 else _decompressed("lz4_raw", block, original)


def _snappy(stream: IO[bytes]) -> Iterator[bytes]:
    """Decode snappy-java's SnappyOutputStream: a header of 16 bytes, then blocks after their length."""
    magic = b"\x82SNAPPY\0"
    head = stream.read(16)
    if len(head) == 16 and not head.startswith(magic):
        raise DamagedError("it does not begin with snappy-java's header")
    while len(head := stream.read(4)) == 4:
        (length,) = struct.unpack(">I", head)
        block = _block(stream, length)
        if block is None:
            return
        yield _decompressed("snappy", block, _snappy_length(block))


def _snappy_length(block: bytes) -> int:
    """Return the length that begins a snappy block: seven bits per byte, the lowest first."""
    length = 0
    for index, byte in enumerate(block[:5]):
        length |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return length
    raise DamagedError("a block has no length")


def _lzf(stream: IO[bytes]) -> Iterator[bytes]:
    """Decode compress-lzf's chunks: `ZV`, a type, lengths of two bytes."""
    while len(head := stream.read(5)) == 5:
        if head[:2] != b"ZV":
            raise DamagedError("a chunk does not begin with ZV")
        compressed, length = head[2] == 1, int.from_bytes(head[3:5], "big")
        original = stream.read(2) if compressed else b""
        block = _block(stream, length)
        if block is None:
            return
        yield _lzf_block(block, int.from_bytes(original, "big")) if compressed else block


def _lzf_block(block: bytes, original: int) -> bytes:
    """Decode one block in Python: no wheel does it, and hardly anyone writes lzf."""
    out = bytearray()
    at = 0
    try:
        while at < len(block):
            control = block[at]
            at += 1
            if control < 32:
                out += block[at : at + control + 1]
                at += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += block[at]
                at += 1
            start = len(out) - ((control & 0x1F) << 8) - block[at] - 1
            at += 1
            if start < 0:
                raise DamagedError("a block refers to what is before it")
            for index in range(start, start + length + 2):  # may reach into what it writes
                out.append(out[index])
    except IndexError:
        raise DamagedError("a block breaks off") from None
    if len(out) != original:
        raise DamagedError(f"a block has {len(out)} bytes where {original} are announced")
    return bytes(out)


def _block(stream: IO[bytes], length: int) -> bytes | None:
    """Return the bytes of a block, or None where the stream ends before it does."""
    if length > _LARGEST_BLOCK:
        raise DamagedError(f"a block announces {length} bytes")
    block = stream.read(length)
    return block if len(block) == length else None


def _decompressed(codec: str, block: bytes, length: int) -> bytes:
    if length > _LARGEST_BLOCK:
        raise DamagedError(f"a block announces {length} bytes")
    try:
        result: bytes = pyarrow.decompress(block, decompressed_size=length, codec=codec, asbytes=True)
    except (pyarrow.ArrowException, ValueError, OSError) as error:
        raise DamagedError(str(error)) from None
    return result


CODECS: Mapping[str, Callable[[IO[bytes]], Iterator[bytes]]] = {
    "gz": _gzip,
    "gzip": _gzip,
    "lz4": _lz4,
    "lzf": _lzf,
    "snappy": _snappy,
    "zstd": _zstd,
}
"""By the suffix of the file; gz is not Spark's, but what people do to logs that they keep."""
