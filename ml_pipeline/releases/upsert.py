"""Upserts pipelines: checks the controls, uploads the code, registers the definition, and records it."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from helpers.command_line import print_line
from helpers.errors import UserError, one_per_line
from ml_pipeline.controls.checks import findings
from ml_pipeline.project import Project, combined_hash
from ml_pipeline.releases.history import Origin, history_folder, record
from ml_pipeline.releases.package_staging import PackageStaging
from ml_pipeline.releases.registration import upsert
from ml_pipeline.releases.revision import commit
from ml_pipeline.releases.staging import stage_code

if TYPE_CHECKING:
    from rich.console import Console


def reject_other_code(projects: Sequence[Project], wanted: str) -> None:
    """Raise a UserError if the code of the pipelines has another content hash."""
    found = combined_hash({each.pipeline.name: each.code_hash for each in projects})
    if found != wanted:
        raise UserError(
            f"The code of this checkout is {found}, not {wanted}; nothing was sent",
            hint="Check out the commit that was executed before: only that one is promoted",
        )


def upsert_all(projects: Sequence[Project], console: "Console") -> None:
    """Upsert pipelines, after all of them have passed the checks.

    Raises:
        UserError: a step lacks a control, or a package or jar cannot be downloaded or differs from its lock.
    """
    lacking = [
        f"{each.name}: {finding}"
        for each in projects
        for finding in findings(json.loads(each.registration.definition))
    ]
    if lacking:
        raise UserError(
            f"Steps lack controls, nothing was sent:{one_per_line(lacking)}",
            hint="Correct the steps, then run: make check-pipeline",
        )
    with PackageStaging(projects[0].session.client("s3")) as staging:
        for project in projects:
            staging.prepare(project.bundles, project.code.modules)
        for project in projects:
            _upsert(project, staging, console)


def _upsert(project: Project, staging: PackageStaging, console: "Console") -> None:
    for uri in project.bundles:
        if sent := staging.upload(uri):
            print_line(console, f"Staged {uri} ({sent / 1e6:,.1f} MB)")
    for uri in stage_code(project.session.client("s3"), project.files):
        print_line(console, f"Staged {uri}")
    done = upsert(project.session.client("sagemaker"), project.name, project.registration)
    entry = record(
        project.session,
        project.name,
        project.artifact_bucket,
        project.registration,
        Origin(commit(), project.code_hash),
        changed=done != "unchanged",
        folder=history_folder(project.pipeline.name),
    )
    print_line(console, f"Pipeline {project.name} {done}{f', version {entry.version}' if entry else ''}.")
