"""The commands about versions of the pipeline: which there were, and the way back to one."""

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from rich.table import Table

from helpers.errors import UserError
from ml_pipeline.executions.executions import Execution, list_executions
from ml_pipeline.project import Project, say
from ml_pipeline.releases.history import (
    SHOWN_VERSIONS,
    Entry,
    Origin,
    as_document,
    entries,
    last_executions,
    record,
)
from ml_pipeline.releases.registration import registered
from ml_pipeline.releases.registration import upsert as register
from ml_pipeline.releases.rollback import last_good, meant, refuse_what_would_not_run

if TYPE_CHECKING:
    from rich.console import Console


def show_history(project: Project, console: "Console", *, as_json: bool, all_versions: bool) -> int:
    """Tell what was upserted when, by whom, and how its last execution ended."""
    listed = islice(
        entries(project.session.client("s3"), project.artifact_bucket),
        None if all_versions else SHOWN_VERSIONS,
    )
    newest_first = list(listed)
    executions = _last_executions(project, newest_first)
    document = as_document(newest_first, executions)
    if as_json:
        print(json.dumps(document, indent=2))
        return 0
    if not document:
        say(console, f"{project.name} was not upserted yet, or before there was a history.")
        return 0
    table = Table(
        "Version", "Time (UTC)", "Who", "Commit", "Code", "Definition", "Last execution", title=project.name
    )
    for entry in newest_first:
        execution = executions.get(entry.version)
        back = f" (back to {entry.rolled_back_to})" if entry.rolled_back_to else ""
        table.add_row(
            f"{entry.version}{back}",
            f"{entry.time:%Y-%m-%d %H:%M:%S}",
            entry.who.rsplit(":", 1)[-1],
            entry.commit[:12] + ("-dirty" if entry.commit.endswith("-dirty") else ""),
            entry.code_hash,
            entry.definition_hash,
            f"{execution.status} {execution.started:%Y-%m-%d %H:%M}" if execution else "none",
        )
    console.print(table)
    return 0


def rollback(project: Project, console: "Console", to: str | None) -> int:
    """Register an earlier definition again, by default the last one that was executed well.

    Raises:
        UserError: it is not known which one is meant, or that one would not run any more.
    """
    s3 = project.session.client("s3")
    listed = list(entries(s3, project.artifact_bucket))
    if not listed:
        raise UserError(f"{project.name} has no history in {project.artifact_bucket}: there is no way back.")
    entry = meant(listed, to) if to else last_good(listed, _last_executions(project, listed))
    known = [*project.outputs.values(), project.parameters.model_dump_json()]
    refuse_what_would_not_run(s3, entry, project.artifact_bucket, known, project.environment)
    done = register(project.session.client("sagemaker"), project.name, entry.registration)
    if done == "unchanged":
        say(console, f"Version {entry.version} is what is registered as {project.name}, nothing was changed.")
        return 0
    new = record(
        project.session,
        project.name,
        project.artifact_bucket,
        entry.registration,
        Origin(entry.commit, entry.code_hash, rolled_back_to=entry.version),
        changed=True,
    )
    say(
        console,
        f"Pipeline {project.name} {done}: back to version {entry.version} of commit {entry.commit}"
        f"{f', version {new.version}' if new else ''}.",
    )
    return 0


def _last_executions(project: Project, listed: Sequence[Entry]) -> Mapping[int, Execution]:
    sagemaker = project.session.client("sagemaker")
    if registered(sagemaker, project.name) is None:
        return {}
    return last_executions(listed, list_executions(sagemaker, project.name, project.environment))
