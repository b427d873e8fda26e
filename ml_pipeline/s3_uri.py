"""URIs of S3."""

from typing import NamedTuple


class S3Uri(NamedTuple):
    """A bucket and a key."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def parse(uri: str) -> S3Uri:
    """Return the bucket and the key of an s3:// or s3a:// URI."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    return S3Uri(bucket, key)


def below(folder: str, *names: str) -> str:
    """Return the s3:// URI of something below a folder, whatever connector the folder's URI names."""
    return str(parse("/".join([folder.rstrip("/"), *names])))
