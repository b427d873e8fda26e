"""Decodes the codecs of Spark's event logs as a stream.

Spark uses the name of the codec as suffix of the file. Only zstd has a standard format. lz4, snappy and lzf
use the block formats of the Java libraries lz4-java, snappy-java and compress-lzf.
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
"""Bytes. Spark's own blocks have 32 KiB; a larger length is damage, and must not be allocated."""


class DamagedError(Exception):
    """The bytes do not have the format of the codec."""


def decoded(stream: IO[bytes], codec: str) -> io.BufferedReader:
    """Return a stream with the decoded content of a compressed stream.

    A truncated stream, as of a running application, ends where it is truncated.

    Raises:
        DamagedError: when reading, if the content does not have the format of the codec.
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
            while inflate.eof and inflate.unused_data:  # concatenated files
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
    """Decode snappy-java's SnappyOutputStream: a header of 16 bytes, then blocks with a length prefix."""
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
    """Return the length at the beginning of a snappy block: seven bits per byte, lowest first."""
    length = 0
    for index, byte in enumerate(block[:5]):
        length |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            return length
    raise DamagedError("a block has no length")


def _lzf(stream: IO[bytes]) -> Iterator[bytes]:
    """Decode compress-lzf's chunks: `ZV`, a type, and lengths of two bytes."""
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
    """Decode one block in Python: no wheel provides lzf, and it is rarely used."""
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
            for index in range(start, start + length + 2):  # may overlap with its own output
                out.append(out[index])
    except IndexError:
        raise DamagedError("a block breaks off") from None
    if len(out) != original:
        raise DamagedError(f"a block has {len(out)} bytes where {original} are announced")
    return bytes(out)


def _block(stream: IO[bytes], length: int) -> bytes | None:
    """Return the bytes of a block, or None if the stream ends before the block does."""
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
"""Decoders by file suffix. gz is not a codec of Spark, but is often used to archive logs."""
