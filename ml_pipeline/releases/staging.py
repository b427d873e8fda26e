"""The job's code on its way to S3: named by its content, written once, never changed."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from helpers.errors import UserError
from ml_pipeline.params import PipelineParams
from ml_pipeline.s3_uri import S3Uri, parse

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FOLDER = Path(__file__).resolve().parents[2] / "spark_jobs"
FILES = {
    "pyspark_process_code": "process_pyspark.py",
    "pyspark_helper_code": "data_utils.py",
    "spark_config_file": "configuration.json",
}
"""The file behind each parameter that names code."""
HASH_DIGITS = 16
"""64 bits tell more versions apart than anybody writes; a collision would be refused, not run."""


def read_code(folder: Path = FOLDER) -> dict[str, bytes]:
    """Return the content of the code files by name.

    Raises:
        UserError: one is missing.
    """
    try:
        return {name: (folder / name).read_bytes() for name in FILES.values()}
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: there is no such file, and the job needs it") from None


def code_hash(files: Mapping[str, bytes]) -> str:
    """Return a hash of names and contents, the same in whatever order they come."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        # Lengths keep a name and its content apart, and one file from the next.
        for part in (name.encode(), content):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:HASH_DIGITS]


def stage_code(s3: "S3Client", parameters: PipelineParams, files: Mapping[str, bytes]) -> list[str]:
    """Upload the code files that are not there yet, to where the parameters say.

    The bucket encrypts them with its own key, and refuses any other.

    Returns:
        The URIs that were written.

    Raises:
        UserError: something else lies at one of the URIs.
    """
    uris = {parameters[key]: files[name] for key, name in FILES.items()}
    return [uri for uri, content in uris.items() if _stage(s3, parse(uri), content)]


def _stage(s3: "S3Client", uri: S3Uri, content: bytes) -> bool:
    """Write a file of code if there is none, or the same; return whether it was written."""
    if write_once(s3, uri, content):
        return True
    if object_sha256(s3, uri) != sha256_of(content):
        raise UserError(
            f"{uri} holds other code than spark_jobs/{uri.key.rsplit('/', 1)[-1]}, and staged code is never "
            "overwritten. Let the parameter name a folder with ${CodeHash}."
        )
    return False


def write_once(s3: "S3Client", uri: S3Uri, content: bytes, content_type: str = "binary/octet-stream") -> bool:
    """Write an object, unless there is one; return whether it was written."""
    try:
        s3.put_object(
            Bucket=uri.bucket,
            Key=uri.key,
            Body=content,
            ContentType=content_type,
            IfNoneMatch="*",
            ChecksumSHA256=sha256_of(content),
        )
    except ClientError as error:
        # A conditional write that meets another one gets ConditionalRequestConflict.
        if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict"}:
            return False
        raise
    return True


def sha256_of(content: bytes) -> str:
    """Return a checksum in the form that S3 has it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def object_sha256(s3: "S3Client", uri: S3Uri) -> str | None:
    """Return the checksum of an object, or None when there is none."""
    try:
        known = s3.head_object(Bucket=uri.bucket, Key=uri.key, ChecksumMode="ENABLED").get("ChecksumSHA256")
        if known and "-" not in known:  # parts of a multipart upload have checksums of their own
            return known
        return sha256_of(s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
            return None
        raise
