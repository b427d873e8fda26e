"""Checks whether a package can be served, before a model is created from it."""

import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from helpers.s3 import parse

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client

    from ml_pipeline.registry.group import ModelGroup
    from ml_pipeline.registry.packages import Package

_IMAGE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/.+")
_MODULE = ("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY")
"""The variables that name an inference script. SageMaker's containers import it even if the name is empty."""
_KEY_FIXES = {"Disabled": ": enable it", "PendingDeletion": ": cancel its deletion, then enable it"}
"""What makes a key usable again, by its state."""
_GONE = frozenset({"404", "NoSuchBucket", "NoSuchKey"})


def serving_problems(group: "ModelGroup", package: "Package") -> list[str]:
    """Return the reasons why a package cannot be served, or the drift of its predictions cannot be measured.

    Args:
        group: the group of the package.
        package: the package; its artifact is read with the permissions of the caller.

    Raises:
        botocore.exceptions.ClientError: the caller may not describe the key of the artifact.
    """
    if package.registration != "Completed":
        return [f"its registration is {package.registration}"]
    if not package.image:
        return ["it has no container: register it with InferenceSpecification"]
    problems = [
        *image_problems(package.image, group.image_accounts, group.session.region_name),
        *(
            f"its environment has {name}, empty: its container would import a module without a name. "
            "Register it again without this variable"
            for name in _MODULE
            if package.environment.get(name) == ""
        ),
        *_artifact_problems(group, package),
    ]
    if not package.baselines.statistics:
        problems.append(
            "it has no baseline that drift is measured against: register it with "
            "ModelMetrics.ModelDataQuality.Statistics"
        )
    return problems


def image_problems(image: str, accounts: frozenset[str], region: str) -> Iterator[str]:
    """Yield the reasons why models in a region cannot run an image, given the accounts of trusted images."""
    found = _IMAGE.fullmatch(image)
    if not found:
        yield f"its image is in no registry of Amazon ECR: {image}"
    elif found["region"] != region:
        yield f"its image is in {found['region']}, and its model would be in {region}: {image}"
    elif found["account"] not in accounts:
        yield (
            f"its image comes from account {found['account']}, from which jobs and models get none: {image}. "
            "If it is to be trusted, add the account to ImageAccountIds in infra/parameters"
        )


def _artifact_problems(group: "ModelGroup", package: "Package") -> Iterator[str]:
    url = package.model_data_url
    if not url:
        yield "it has no artifact: register it with ModelDataUrl"
        return
    uri = parse(url)
    try:
        head = group.s3.head_object(Bucket=uri.bucket, Key=uri.key)
        if package.model_data_etag not in {"", head["ETag"].strip('"')}:
            yield f"its artifact was modified since it was registered: {url}"
        elif problem := _key_problem(group.session.client("kms"), head.get("SSEKMSKeyId")):
            yield f"its artifact {url} is encrypted with {problem}"
        elif problem := _archive_problem(group.s3, uri.bucket, uri.key):
            yield f"its artifact {url} {problem}"
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            yield f"its artifact is gone: {url}"
        elif error.operation_name == "DescribeKey":
            raise
        else:
            yield f"its artifact {url} cannot be read: {error}"


def _key_problem(kms: "KMSClient", key: str | None) -> str | None:
    """Return the key with the reason why it cannot decrypt and the fix, or None if it can be used."""
    if not key:
        return None
    try:
        state: str = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        state = "gone"
    return None if state == "Enabled" else f"the key {key}, which is {state}{_KEY_FIXES.get(state, '')}"


def _archive_problem(s3: "S3Client", bucket: str, key: str) -> str | None:
    """Return the problem of a model.tar.gz, which is read completely, or None."""
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    try:
        with tarfile.open(fileobj=body, mode="r|gz") as archive:
            files = [member.name for member in archive if member.isfile()]
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        return f"is not a tar.gz that can be read: {error}"
    return None if files else "has no file in it"
