"""Finds the upsert that registered the executed definition, and who started the execution."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from ml_pipeline.execution_report.model import Provenance
from ml_pipeline.project import Project
from ml_pipeline.releases.history import Entry, entries, history_folder


def provenance_at(project: Project, started: datetime) -> tuple[Provenance | None, tuple[str, ...]]:
    """Return the last upsert before the start of an execution, or the reason why it is unknown."""
    folder = history_folder(project.pipeline.name)
    try:
        listed = entries(project.session.client("s3"), project.artifact_bucket, folder)
        entry = next((entry for entry in listed if entry.time <= started), None)
    except ClientError as error:
        return None, (
            f"The provenance is not known: the history cannot be read: {error.response['Error']['Code']}.",
        )
    if entry is None:
        return None, ("The provenance is not known: no recorded upsert is older than this execution.",)
    return _provenance_of(entry), ()


def _provenance_of(entry: Entry) -> Provenance:
    return Provenance(
        version=entry.version,
        commit=entry.commit,
        code_hash=entry.code_hash,
        definition_hash=entry.definition_hash,
        upserted=entry.time,
        upserted_by=entry.who,
        rolled_back_to=entry.rolled_back_to,
    )


def starter_of(description: Mapping[str, Any]) -> str:
    """Return the user profile or ARN that started an execution, or an empty string if it is not recorded."""
    user = description.get("CreatedBy", {})
    return str(user.get("UserProfileName") or user.get("IamIdentity", {}).get("Arn") or "")
