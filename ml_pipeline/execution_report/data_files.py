"""Lists the files of a data set in S3, and reads them as seekable streams."""

import io
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from helpers.s3 import S3Uri, parse
from ml_pipeline.executions.verification import is_data_file

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from types_boto3_s3 import S3Client


class DataFile(NamedTuple):
    """A data file of a data set, with its size in bytes."""

    uri: S3Uri
    size: int


def list_data_files(s3: "S3Client", folder: str) -> list[DataFile]:
    """Return the files of a data set that Spark reads, in the order of their names."""
    bucket, prefix = parse(folder.rstrip("/") + "/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    files = [
        DataFile(S3Uri(bucket, entry["Key"]), entry["Size"])
        for page in pages
        for entry in page.get("Contents", [])
    ]
    return [file for file in files if is_data_file(str(file.uri), folder)]


class ObjectReader(io.RawIOBase):
    """An S3 object as a seekable stream. Each read is one request for a byte range."""

    def __init__(self, s3: "S3Client", file: DataFile):
        self._s3 = s3
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        """Return True: the stream can be read."""
        return True

    def seekable(self) -> bool:
        """Return True: the stream supports `seek`."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Change the position, and return the new one."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Return the current position."""
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read bytes into the buffer, and return their number. It is 0 at the end of the object."""
        target = memoryview(buffer).cast("B")
        end = min(self._at + len(target), self._file.size)
        if self._at >= end:
            return 0
        bucket, key = self._file.uri
        answer = self._s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={self._at}-{end - 1}")
        with closing(answer["Body"]) as body:
            content = body.read()
        target[: len(content)] = content
        self._at += len(content)
        return len(content)
