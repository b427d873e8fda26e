"""Promotes a version from the registry of one environment to that of another, through a folder.

The folder has the files and a manifest with their hashes, so that the two halves can run with the credentials
of one environment each.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, ValidationError

from helpers.errors import UserError, one_per_line
from helpers.s3 import S3Uri, object_sha256, parse, sha256_of, write_once
from ml_pipeline.registry.approval import RECORDED, caller
from ml_pipeline.registry.packages import (
    PENDING,
    PROMOTED_FROM,
    PROMOTED_FROM_ENVIRONMENT,
    SAMPLE_SCORED_IN,
    describe,
    list_packages,
)
from ml_pipeline.registry.sample import SAMPLE, beside
from ml_pipeline.registry.serving import image_problems, serving_problems

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from ml_pipeline.registry.group import ModelGroup
    from ml_pipeline.registry.packages import Package

MANIFEST = "package.json"
MODEL, EVALUATION, STATISTICS, CONSTRAINTS, COLUMNS = (
    *("model.tar.gz", "evaluation.json"),
    *("statistics.json", "constraints.json", "columns.json"),
)
_OF_ENVIRONMENT = frozenset({*RECORDED, SAMPLE_SCORED_IN})
"""The customer metadata properties that describe actions in one environment and are not promoted."""
_GONE = frozenset({"NoSuchBucket", "NoSuchKey"})
_NOT_REGISTERED = frozenset({"ModelDataETag", "ModelDataUrl", "ImageDigest"})
"""Members of a described container that the registration in the target environment replaces."""


class Manifest(BaseModel):
    """The manifest of a promoted version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    """Of this document."""
    environment: str
    """Where it is approved."""
    arn: str
    """Of the package."""
    specification: dict[str, Any]
    """Its InferenceSpecification, without the artifact."""
    card: str = ""
    """The content of its model card."""
    properties: dict[str, str]
    approval: dict[str, str]
    """Who approved it there, and when."""
    files: dict[str, str]
    """The SHA-256 of each file in hexadecimal digits, by its name."""

    @property
    def image(self) -> str:
        """The image that serves the model."""
        return str(self.specification["Containers"][0]["Image"])


def export_package(group: "ModelGroup", version: int, folder: Path) -> None:
    """Write an approved version into an empty folder.

    Raises:
        UserError: there is no such version, it is not approved, it cannot be served, or a file of it is gone.
    """
    package = group.find(version)
    if not package.approved:
        raise UserError(
            f"Version {version} of {group.environment} is {package.status}, and only approved versions can "
            "be promoted",
            hint=f"Approve it first: {group.command('approve', MODEL=str(version))}",
        )
    if problems := serving_problems(group, package):
        raise UserError(
            f"Version {version} cannot be used, and was not promoted:{one_per_line(problems)}",
            hint=f"Promote another version; list them with: {group.command('models')}",
        )
    files = {name: _read(group, package, uri) for name, uri in _files_of(package)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    manifest = Manifest(
        environment=group.environment,
        arn=package.arn,
        specification=_without_artifact(group, package),
        card=package.card,
        properties={key: value for key, value in package.properties.items() if key not in _OF_ENVIRONMENT},
        approval={key: value for key, value in package.properties.items() if key in RECORDED},
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")


def import_package(group: "ModelGroup", folder: Path) -> "Package":
    """Register an exported version, pending approval in this environment, and return it.

    The files are uploaded before the version is registered. An interrupted import can be repeated: a version
    is registered once.

    Raises:
        UserError: the folder is not an exported version, a file was modified, or its image is not allowed.
    """
    manifest = _read_manifest(folder)
    files = {name: (folder / name).read_bytes() for name in manifest.files if (folder / name).is_file()}
    problems = [
        f"{name} is not the file that was exported"
        for name, digest in manifest.files.items()
        if name not in files or hashlib.sha256(files[name]).hexdigest() != digest
    ]
    problems += image_problems(manifest.image, group.image_accounts, group.session.region_name)
    if problems:
        raise UserError(
            f"{manifest.arn} was not promoted to {group.environment}:{one_per_line(problems)}",
            hint="Correct what is listed, and promote it again",
        )
    if known := _promoted(group, manifest.arn):
        return known
    digest = hashlib.sha256(manifest.model_dump_json().encode()).hexdigest()
    uris = {name: S3Uri(group.artifact_bucket, f"models/promoted/{digest[:16]}/{name}") for name in files}
    for name, uri in uris.items():
        _upload(group.s3, uri, files[name])
    return describe(group.sagemaker, _register(group, manifest, uris, token=digest[:36]))


def _files_of(package: "Package") -> Iterator[tuple[str, str]]:
    """Yield the name in the folder and the URI of each file of a package and of the files beside them."""
    baselines = package.baselines
    uris = {
        MODEL: package.model_data_url,
        EVALUATION: package.metrics,
        SAMPLE: beside(package.metrics, SAMPLE),
        STATISTICS: baselines.statistics,
        CONSTRAINTS: baselines.constraints,
        COLUMNS: beside(baselines.statistics, COLUMNS),
    }
    yield from ((name, uri) for name, uri in uris.items() if uri)


def _read(group: "ModelGroup", package: "Package", uri: str) -> bytes:
    place = parse(uri)
    try:
        return group.s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
        raise UserError(
            f"Version {package.version} of {group.environment} was not promoted: there is no {uri}",
            hint=f"Train and register it again with: {group.command('run', PIPELINE='train')}",
        ) from error


def _without_artifact(group: "ModelGroup", package: "Package") -> dict[str, Any]:
    described = group.sagemaker.describe_model_package(ModelPackageName=package.arn)
    specification: Mapping[str, Any] = described["InferenceSpecification"]
    containers = [
        {key: value for key, value in container.items() if key not in _NOT_REGISTERED}
        for container in specification["Containers"]
    ]
    return {**specification, "Containers": containers}


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise UserError(
            f"{path} is missing", hint="Export a version to this folder first, with --export"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise UserError(
            f"{path} is not an exported version: {where}: {first['msg']}", hint="Export the version again"
        ) from error


def _promoted(group: "ModelGroup", arn: str) -> "Package | None":
    packages = list_packages(group.sagemaker, group.name)
    return next((each for each in packages if each.properties.get(PROMOTED_FROM) == arn), None)


def _upload(s3: "S3Client", uri: S3Uri, content: bytes) -> None:
    """Upload a file unless an earlier attempt has; different content under its name is an error."""
    if not write_once(s3, uri, content) and object_sha256(s3, uri) != sha256_of(content):
        raise UserError(
            f"{uri} differs from the file that is promoted", hint="Delete the object, and promote again"
        )


def _register(group: "ModelGroup", manifest: Manifest, uris: Mapping[str, S3Uri], token: str) -> str:
    """Register the version and return its ARN; concurrent calls return the same one."""
    (container,) = manifest.specification["Containers"]
    document = {
        name: {"ContentType": "application/json", "S3Uri": str(uris[name])}
        for name in (EVALUATION, STATISTICS, CONSTRAINTS)
        if name in uris
    }
    baselines = {"Statistics": document[STATISTICS]}
    if CONSTRAINTS in document:
        baselines["Constraints"] = document[CONSTRAINTS]
    metrics = {"ModelDataQuality": baselines}
    if EVALUATION in document:
        metrics["ModelQuality"] = {"Statistics": document[EVALUATION]}
    request: dict[str, Any] = {
        "InferenceSpecification": {
            **manifest.specification,
            "Containers": [{**container, "ModelDataUrl": str(uris[MODEL])}],
        },
        "ModelMetrics": metrics,
        "DriftCheckBaselines": {"ModelDataQuality": baselines},
        "CustomerMetadataProperties": {
            **manifest.properties,
            **{f"source-{key}": value for key, value in manifest.approval.items()},
            PROMOTED_FROM: manifest.arn,
            PROMOTED_FROM_ENVIRONMENT: manifest.environment,
            "promoted-by": caller(group.session),
            "model-sha256": manifest.files[MODEL],
        },
    }
    if manifest.card:
        request["ModelCard"] = {"ModelCardContent": manifest.card, "ModelCardStatus": "PendingReview"}
    return group.sagemaker.create_model_package(
        ModelPackageGroupName=group.name,
        ModelApprovalStatus=PENDING,
        ClientToken=token,
        **request,
    )["ModelPackageArn"]
