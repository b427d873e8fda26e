"""Reads the decompressed text of a task in blocks of complete records, with line feeds as line ends.

A task reads the records that begin in its byte range, so each record is read by exactly one task. Compressed
files, and files whose quoted fields may contain line breaks, are read from the beginning, in blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from etl.errors import JobError
from etl.ingestion.checking import Block
from etl.ingestion.compression import codec_of, decompressed
from etl.ingestion.records import whole_records

if TYPE_CHECKING:
    from etl.ingestion.inputs import Part, Piece
    from etl.storage import Storage, StoredFile

BLOCK_BYTES = 32 * 1024**2
"""Size of a block. Memory use depends on it, not on the size of the input."""
LONGEST_RECORD = 256 * 1024**2
LINE_END_BYTES = 64 * 1024
"""Bytes per read when searching for the end of a line."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def blocks(files: Storage, part: Part, *, multiline: bool) -> Iterator[Block]:
    """Yield the records of a part in blocks. Small files share a block.

    Raises:
        JobError: a file cannot be decompressed, or a record is too long.
    """
    texts: list[bytes] = []
    offsets: list[int] = []
    names: list[str] = []
    size = 0
    for piece in part.pieces:
        for text in _texts(files, piece, multiline=multiline):
            if size and size + len(text) > BLOCK_BYTES:
                yield Block(b"".join(texts), offsets, names)
                texts, offsets, names, size = [], [], [], 0
            texts.append(text)
            offsets.append(size)
            names.append(piece.file.uri if "://" in piece.file.uri else f"file:{piece.file.uri}")
            size += len(text)
    if size:
        yield Block(b"".join(texts), offsets, names)


def _texts(files: Storage, piece: Piece, *, multiline: bool) -> Iterator[bytes]:
    """Yield the text of a range in blocks of complete records, each ending with a line feed."""
    rest = b""
    begun = piece.start > 0
    for chunk in _chunks(files, piece, whole=multiline):
        text = rest + chunk if rest else chunk
        if not begun:
            begun, text = True, text.removeprefix(BYTE_ORDER_MARK)
        # A carriage return at the end may be the first byte of a line end.
        held = text[-1:] if text.endswith(b"\r") else b""
        text = _with_line_feeds(text[: len(text) - len(held)])
        end = whole_records(text, multiline=multiline)
        if len(text) - end > LONGEST_RECORD:
            what = "a quote is not closed" if multiline else "a line does not end"
            raise JobError(f"{piece.file.uri}: {what} within {LONGEST_RECORD >> 20} MiB")
        if end:
            yield text[:end]
        rest = text[end:] + held
    if rest:
        yield _with_line_feeds(rest.removesuffix(b"\r")) + b"\n"


def _with_line_feeds(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def _chunks(files: Storage, piece: Piece, *, whole: bool) -> Iterator[bytes]:
    file = piece.file
    if codec_of(file.uri):
        yield from decompressed(files, file, BLOCK_BYTES)
        return
    start = piece.start if whole else _line_begin(files, file, piece.start)
    end = piece.end if whole else _line_begin(files, file, piece.end)
    for position in range(start, end, BLOCK_BYTES):
        yield files.read(file, position, min(position + BLOCK_BYTES, end))


def _line_begin(files: Storage, file: StoredFile, position: int) -> int:
    """Return the start of the first line at or after a position."""
    if position <= 0 or position >= file.size:
        return max(0, min(position, file.size))
    start = position - 1
    while start < file.size:
        text = files.read(file, start, min(start + LINE_END_BYTES, file.size))
        ends = [at for at in (text.find(b"\n"), text.find(b"\r")) if at >= 0]
        if ends:
            after = start + min(ends) + 1
            is_pair = (
                text[min(ends) :][:1] == b"\r" and files.read(file, after, min(after + 1, file.size)) == b"\n"
            )
            return after + is_pair
        start += len(text)
    return file.size
