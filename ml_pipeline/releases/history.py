"""The history of a pipeline: an object in S3 for each upsert, and tags of the pipeline.

The objects are stored in the artifact bucket, like the code. Each has the time, author and commit of the
upsert, and everything that is needed to register the pipeline again. Versions count from 1, and each number
is written once: of two concurrent upserts, the later one gets the next number.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from helpers.errors import UserError
from helpers.infra.tags.tags import get_tags_input
from helpers.s3 import S3Uri, write_once
from ml_pipeline.definitions import Registration, canonical
from ml_pipeline.executions.executions import Execution
from ml_pipeline.executions.parameters import COMMIT_TAG
from ml_pipeline.params import DEFAULT_PIPELINE

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient

FOLDER = "history/"
SHOWN_VERSIONS = 20


class Entry(BaseModel):
    """One upsert."""

    model_config = ConfigDict(frozen=True)

    version: int
    time: AwareDatetime
    who: str
    """The ARN of the caller."""
    commit: str
    code_hash: str
    definition_hash: str
    rolled_back_to: int | None = None
    role_arn: str
    description: str
    tags: dict[str, str]
    definition: str

    @property
    def registration(self) -> Registration:
        """The pipeline as it was registered."""
        return Registration(self.definition, self.description, self.role_arn, self.tags)


@dataclass(frozen=True)
class Origin:
    """The origin of a registered definition."""

    commit: str
    code_hash: str
    rolled_back_to: int | None = None
    """The earlier version that is registered again, if any."""


def definition_hash(definition: str) -> str:
    """Return a hash of a definition that does not depend on its formatting."""
    return hashlib.sha256(canonical(definition).encode()).hexdigest()[:16]


def history_folder(pipeline: str) -> str:
    """Return the folder of a pipeline's records, given its name in this repository."""
    return FOLDER if pipeline == DEFAULT_PIPELINE else f"{FOLDER}{pipeline}/"


def entries(s3: "S3Client", bucket: str, folder: str = FOLDER) -> Iterator[Entry]:
    """Yield the upserts lazily, newest first.

    Raises:
        UserError: one of the objects is not a record of an upsert.
    """
    for version in versions(s3, bucket, folder):
        key = f"{folder}{version}.json"
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        try:
            yield Entry.model_validate_json(text)
        except ValidationError as error:
            raise UserError(
                f"s3://{bucket}/{key} is not a record of an upsert ({error.error_count()} problems)",
                hint="Restore its previous object version, or delete it: versions are distinguished by "
                "their numbers",
            ) from error


def versions(s3: "S3Client", bucket: str, folder: str = FOLDER) -> list[int]:
    """Return the recorded versions, newest first."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
    names = [
        entry["Key"].removeprefix(folder).removesuffix(".json")
        for page in pages
        for entry in page.get("Contents", [])
    ]
    return sorted((int(name) for name in names if name.isascii() and name.isdigit()), reverse=True)


def record(
    session: "Session",
    pipeline: str,
    bucket: str,
    registration: Registration,
    origin: Origin,
    *,
    changed: bool,
    folder: str = FOLDER,
) -> Entry | None:
    """Record an upsert and tag the pipeline, unless nothing has changed since the newest record.

    Args:
        session: a session in the pipeline's region.
        pipeline: the name of the pipeline.
        bucket: the artifact bucket.
        registration: the registered pipeline.
        origin: the origin of its definition.
        changed: whether the upsert changed the registered pipeline.
        folder: the folder of the pipeline's records.

    Returns:
        The new record, or None if there is nothing to record.
    """
    s3 = session.client("s3")
    newest = next(entries(s3, bucket, folder), None)
    fingerprint = definition_hash(registration.definition)
    if not changed and newest and (newest.definition_hash, newest.commit) == (fingerprint, origin.commit):
        _mark(session.client("sagemaker"), pipeline, newest)  # its upsert may not have tagged the pipeline
        return None
    entry = Entry(
        version=newest.version + 1 if newest else 1,
        time=datetime.now(UTC),
        who=session.client("sts").get_caller_identity()["Arn"],
        commit=origin.commit,
        code_hash=origin.code_hash,
        definition_hash=fingerprint,
        rolled_back_to=origin.rolled_back_to,
        role_arn=registration.role_arn,
        description=registration.description,
        tags=dict(registration.tags),
        definition=registration.definition,
    )
    while not _put_once(s3, bucket, folder, entry):
        entry = entry.model_copy(update={"version": entry.version + 1})
    _mark(session.client("sagemaker"), pipeline, entry)
    return entry


def marks(entry: Entry) -> dict[str, str]:
    """Return the tags that identify the version of the pipeline; they are not part of the registration."""
    return {
        "gitops:version": str(entry.version),
        COMMIT_TAG: entry.commit,
        "gitops:code-hash": entry.code_hash,
        "gitops:definition-hash": entry.definition_hash,
    }


def last_executions(listed: Sequence[Entry], executions: Iterable[Execution]) -> Mapping[int, Execution]:
    """Return the last execution of each version: the last one started after its upsert and before the next.

    Args:
        listed: the upserts, newest first.
        executions: the executions of the pipeline, in any order.
    """
    last: dict[int, Execution] = {}
    for execution in sorted(executions, key=lambda each: each.started):
        version = next((entry.version for entry in listed if entry.time <= execution.started), None)
        if version is not None:
            last[version] = execution
    return last


def as_document(listed: Sequence[Entry], executions: Mapping[int, Execution]) -> list[dict[str, Any]]:
    """Return the history as a JSON document, without the definitions."""
    return [
        {
            **entry.model_dump(mode="json", exclude={"definition", "description", "tags"}),
            "last_execution": {
                "arn": execution.arn,
                "status": execution.status,
                "started": execution.started.astimezone(UTC).isoformat(),
            }
            if (execution := executions.get(entry.version))
            else None,
        }
        for entry in listed
    ]


def _put_once(s3: "S3Client", bucket: str, folder: str, entry: Entry) -> bool:
    """Write a record unless its number exists; return whether it was written."""
    uri = S3Uri(bucket, f"{folder}{entry.version}.json")
    return write_once(s3, uri, entry.model_dump_json(indent=2).encode(), "application/json")


def _mark(sagemaker: "SageMakerClient", pipeline: str, entry: Entry) -> None:
    arn = sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineArn"]
    sagemaker.add_tags(
        ResourceArn=arn,
        Tags=get_tags_input(marks(entry)),  # type: ignore[arg-type]  # plain dicts instead of TagTypeDef
    )
