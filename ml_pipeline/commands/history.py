"""Show the versions of pipelines."""

import argparse
import json
from itertools import islice

from rich.console import Console
from rich.table import Table

from helpers.command_line import print_line
from ml_pipeline.commands import options
from ml_pipeline.executions.target import ALL
from ml_pipeline.project import Project, open_projects
from ml_pipeline.releases.history import SHOWN_VERSIONS, as_document, entries, history_folder
from ml_pipeline.releases.rollback import executions_by_version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser, default=ALL)
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--all", action="store_true", help="not only the newest versions")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """List the versions with author, time, commit and the status of the last execution."""
    shown = None if arguments.all else SHOWN_VERSIONS
    documents = {}
    for project in open_projects(arguments.env, arguments.pipeline):
        document = _history(project, shown, None if arguments.json else console)
        documents[project.pipeline.name] = document
    if arguments.json:
        print(json.dumps(documents, indent=2))
    return 0


def _history(project: Project, shown: int | None, console: Console | None) -> list[dict[str, object]]:
    """Return the history of a pipeline as data, and show it if there is a console."""
    folder = history_folder(project.pipeline.name)
    newest_first = list(islice(entries(project.session.client("s3"), project.artifact_bucket, folder), shown))
    executions = executions_by_version(project, newest_first)
    document = as_document(newest_first, executions)
    if console is None:
        return document
    if not document:
        print_line(console, f"{project.name} has no history: it was not upserted yet.")
        return document
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
    return document
