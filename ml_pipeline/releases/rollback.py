"""Selects an earlier definition, checks whether it can still run, and registers it again."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from helpers.command_line import print_line
from helpers.errors import UserError, one_per_line
from ml_pipeline.controls.checks import findings
from ml_pipeline.executions.executions import Execution, list_executions
from ml_pipeline.executions.inputs import list_input
from ml_pipeline.project import Project
from ml_pipeline.releases.history import Entry, Origin, entries, history_folder, last_executions, record
from ml_pipeline.releases.registration import registered, upsert

if TYPE_CHECKING:
    from rich.console import Console
    from types_boto3_s3 import S3Client

SHORTEST_PREFIX = 4
_SHOWN = 10
_NAMES = re.compile(
    r"(?:subnet|sg)-[0-9a-f]{8,17}\b"
    r"|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+"
    r"|arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+"
)
"""Matches the infrastructure that a definition names: subnets, security groups, keys and roles."""
_BUCKETS = re.compile(r"s3a?://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/")


def roll_back(project: Project, console: "Console", to: str | None) -> None:
    """Register an earlier definition again, by default the last one that was executed successfully.

    Raises:
        UserError: the definition cannot be determined, or it can no longer run.
    """
    s3, folder = project.session.client("s3"), history_folder(project.pipeline.name)
    listed = list(entries(s3, project.artifact_bucket, folder))
    if not listed:
        raise UserError(
            f"{project.name} has no history in {project.artifact_bucket}, so there is no earlier version",
            hint=f"Register this checkout with: {project.target.command('upsert')}",
        )
    entry = meant(listed, to) if to else last_good(listed, executions_by_version(project, listed))
    known = [*project.outputs.values(), project.parameters.model_dump_json()]
    reject_unrunnable(s3, entry, project.artifact_bucket, known, project.environment)
    done = upsert(project.session.client("sagemaker"), project.name, entry.registration)
    # A killed rollback may have registered the definition without recording it.
    if done == "unchanged" and listed[0].definition_hash == entry.definition_hash:
        print_line(
            console, f"Version {entry.version} is registered as {project.name} already, nothing was changed."
        )
        return
    new = record(
        project.session,
        project.name,
        project.artifact_bucket,
        entry.registration,
        Origin(entry.commit, entry.code_hash, rolled_back_to=entry.version),
        changed=True,
        folder=folder,
    )
    print_line(
        console,
        f"Pipeline {project.name} is back to version {entry.version} of commit {entry.commit}"
        f"{f', version {new.version}' if new else ''}.",
    )


def executions_by_version(project: Project, listed: Sequence[Entry]) -> Mapping[int, Execution]:
    """Return the last execution of each version.

    Args:
        project: the pipeline.
        listed: versions, newest first; executions older than the oldest of them are not read.
    """
    sagemaker = project.session.client("sagemaker")
    if not listed or registered(sagemaker, project.name) is None:
        return {}
    return last_executions(listed, list_executions(sagemaker, project.target, listed[-1].time))


def meant(listed: Sequence[Entry], to: str) -> Entry:
    """Return the upsert identified by a version, or by a prefix of a commit or of a code hash.

    Args:
        listed: all upserts, newest first.
        to: the version or prefix, as entered.

    Raises:
        UserError: no upsert matches, or several different ones do.
    """
    text = to.strip().lower()
    if text.isdigit():
        for entry in listed:
            if entry.version == int(text):
                return entry
    matching = [
        entry for entry in listed if any(known.startswith(text) for known in (entry.commit, entry.code_hash))
    ]
    if len(text) < SHORTEST_PREFIX or not matching:
        raise UserError(
            f"No upsert matches {to!r}. There are:{one_per_line(_lines(listed))}",
            hint="Name one of them: make rollback TO=<version>",
        )
    if len({entry.definition_hash for entry in matching}) > 1:
        raise UserError(
            f"{to!r} matches several upserts:{one_per_line(_lines(matching))}",
            hint="Name one by its version: make rollback TO=<version>",
        )
    return matching[0]


def last_good(listed: Sequence[Entry], executions: Mapping[int, Execution]) -> Entry:
    """Return the last upsert with another definition than the current one that was executed successfully.

    A rollback without a finished execution is selected again, since it may have been interrupted.

    Args:
        listed: all upserts, newest first.
        executions: the last one of each version.

    Raises:
        UserError: there is no such upsert.
    """
    current = listed[0]
    if current.rolled_back_to and _is_untried(executions.get(current.version)):
        return next((entry for entry in listed if entry.version == current.rolled_back_to), current)
    for entry in listed[1:]:
        execution = executions.get(entry.version)
        if entry.definition_hash != current.definition_hash and execution and execution.status == "Succeeded":
            return entry
    raise UserError(
        "No version before the current one succeeded, so none is known to be "
        f"good:{one_per_line(_lines(listed))}",
        hint="Name the version that is meant: make rollback TO=<version>",
    )


def _is_untried(execution: Execution | None) -> bool:
    return execution is None or execution.active or execution.status == "Stopped"


def reject_unrunnable(
    s3: "S3Client", entry: Entry, bucket: str, known: Iterable[str], environment: str
) -> None:
    """Raise a UserError if an earlier definition lacks a control, its code or its infrastructure.

    Args:
        s3: a client.
        entry: the upsert to register again.
        bucket: the artifact bucket.
        known: texts that name the current infrastructure: outputs of stacks and parameters.
        environment: the environment of the definition.
    """
    definition = json.loads(entry.definition)
    problems = [str(finding) for finding in findings(definition)]
    problems += [
        f"its code is gone: {uri}" for uri in code_uris(definition, bucket) if not list_input(s3, uri)
    ]
    problems += [
        f"it names {name}, which is not among today's outputs and parameters of {environment}"
        for name in sorted(names(f"{entry.definition}\n{entry.role_arn}") - names("\n".join(known)))
    ]
    problems += [
        f"it names the bucket {name}, which is gone"
        for name in sorted({*_BUCKETS.findall(entry.definition)})
        if not _is_there(s3, name)
    ]
    if problems:
        raise UserError(
            f"Version {entry.version} would not run, and nothing was changed:{one_per_line(problems)}",
            hint="Choose another version: make rollback TO=<version>",
        )


def code_uris(definition: Any, bucket: str) -> list[str]:
    """Return the URIs in the artifact bucket that a definition names, each once."""
    found = [text for text in _texts(definition) if re.match(rf"s3a?://{re.escape(bucket)}/.", text)]
    return list(dict.fromkeys(found))


def names(text: str) -> set[str]:
    """Return the infrastructure that a text names."""
    return set(_NAMES.findall(text))


def _is_there(s3: "S3Client", bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        # S3 answers 403 for a bucket of another account; only 404 means that it does not exist.
        return error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}
    return True


def _texts(value: Any) -> Iterable[str]:
    match value:
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)
        case str():
            yield from value.split(",")  # such as several files in one argument of spark-submit


def _lines(listed: Sequence[Entry]) -> list[str]:
    lines = [
        f"{entry.version}: {entry.time:%Y-%m-%d %H:%M} commit {entry.commit[:12]}, code {entry.code_hash}"
        for entry in listed[:_SHOWN]
    ]
    return [*lines, f"and {len(listed) - _SHOWN} before"] if len(listed) > _SHOWN else lines or ["none yet"]
