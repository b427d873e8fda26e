"""Detects files of other formats by their first bytes."""

from __future__ import annotations

import re

_CONVERT = "convert it to UTF-8, as by iconv"
_FORMATS: tuple[tuple[bytes, str], ...] = (
    (rb"\x1f\x8b\x08", "is compressed by gzip, but its name does not end in .gz (in lower case): rename it"),
    (rb"\x1f\x9d", "is compressed by compress (.Z), which the job does not read: unpack it"),
    (rb"BZh[1-9]1AY&SY", "is compressed by bzip2, but its name does not end in .bz2: rename it"),
    (
        rb"PK(\x03[\x04\x06]|\x05\x06)",
        "is a ZIP archive (.zip, .xlsx), which the job does not read: unpack it",
    ),
    (rb"\xfd7zXZ\x00", "is compressed by xz, which the job does not read: unpack it"),
    (rb"\x28\xb5\x2f\xfd", "is compressed by Zstandard, but its name does not end in .zst: unpack it"),
    (rb"\x04\x22\x4d\x18", "is compressed by LZ4, which the job does not read: unpack it"),
    (rb"\xff\x06\x00\x00sNaPpY", "is compressed by Snappy frames, which the job does not read: unpack it"),
    (rb"7z\xbc\xaf\x27\x1c", "is a 7z archive, which the job does not read: unpack it"),
    (rb"PAR1\x15", "is a Parquet file: convert it to CSV"),
    (rb"Obj\x01", "is an Avro file: convert it to CSV"),
    (rb"\xd0\xcf\x11\xe0", "is an Office file: save it as CSV"),
    (rb"%PDF-", "is a PDF file: convert it to CSV"),
    (rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff", f"is UTF-32: {_CONVERT}"),
    (rb"\xff\xfe|\xfe\xff", f"is UTF-16: {_CONVERT}"),
    (rb"(\x00[\x20-\x7f]){3}|([\x20-\x7f]\x00){3}", f"is UTF-16: {_CONVERT}"),
)
"""Patterns of first bytes, and what they indicate. The first match is used."""


def other_format(text: bytes) -> str | None:
    r"""Return the problem of a file that begins with these bytes, or None.

    >>> other_format(b"PAR1\x15\x04"), other_format(b"PAR1,7")
    ('is a Parquet file: convert it to CSV', None)
    """
    for signature, message in _FORMATS:
        if re.match(signature, text, re.DOTALL):
            return message
    return None
