"""The input data: its fingerprint, and the sample that a new environment starts with."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from helpers.environments import Environment, is_preview
from helpers.errors import UserError
from ml_pipeline.executions.invocation import invocation
from ml_pipeline.releases.staging import FOLDER, object_sha256, sha256_of
from ml_pipeline.s3_uri import S3Uri, parse

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SAMPLE = FOLDER / "sample_data" / "abalone.csv"


class InputObject(NamedTuple):
    """One object of the input, as a listing tells of it."""

    key: str
    size: int
    etag: str


def fingerprint(objects: Iterable[InputObject]) -> str:
    """Return a text that changes with every name, size and ETag, and not with the order of the listing."""
    return hashlib.sha256(json.dumps(sorted(objects)).encode()).hexdigest()


def list_input(s3: "S3Client", uri: str) -> list[InputObject]:
    """Return the objects that Spark reads at a URI: the object of that key, or all below that folder."""
    bucket, key = parse(uri)
    folder = key.rstrip("/") + "/"
    return [
        InputObject(entry["Key"], entry["Size"], entry["ETag"])
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        for entry in page.get("Contents", [])
        if entry["Key"] == key or entry["Key"].startswith(folder)
        if not entry["Key"].endswith("/")  # what the console makes for a folder
    ]


def input_fingerprint(s3: "S3Client", uri: str, environment: Environment) -> str:
    """Return the fingerprint of the input.

    Raises:
        UserError: nothing lies there.
    """
    objects = list_input(s3, uri)
    if not objects:
        mend = (
            f"`make run ENV={environment}` puts the sample there, and so does "
            f"`{invocation(environment, 'data')}`."
            if _gets_the_sample(environment)
            else f"{environment} gets no sample: deliver the data there, then start again."
        )
        raise UserError(f"There is no input at {uri}. {mend}")
    return fingerprint(objects)


def provide_sample(
    s3: "S3Client", uri: str, key_arn: str, environment: Environment, sample: Path = SAMPLE
) -> str:
    """Put the sample at the input location where the environment allows it.

    `local` and previews always get it, `dev` only where nothing lies; `staging` and `prod` have data of
    their own.

    Returns:
        What was done, for the reader.
    """
    if not _gets_the_sample(environment):
        return f"No sample data in {environment}: deliver the input to {uri} yourself."
    bucket, key = parse(uri)
    target = S3Uri(bucket, key + sample.name if key.endswith("/") else key)
    content = sample.read_bytes()
    if environment == "dev" and list_input(s3, uri):
        return f"The input at {uri} is left as it is."
    if object_sha256(s3, target) == sha256_of(content):
        return f"The sample lies at {target} already."
    s3.put_object(
        Bucket=target.bucket,
        Key=target.key,
        Body=content,
        ContentType="text/csv",
        ChecksumSHA256=sha256_of(content),
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=key_arn,
    )
    return f"The sample was uploaded to {target}."


def _gets_the_sample(environment: Environment) -> bool:
    return environment in {"local", "dev"} or is_preview(environment)
