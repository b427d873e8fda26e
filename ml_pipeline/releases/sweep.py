"""Deletes expired previews and unused code."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from helpers.aws import connect
from helpers.command_line import print_line
from helpers.environments import Environment
from helpers.errors import UserError, explain
from helpers.infra.stacks.configuration import INFRA, project_name, stack_names
from helpers.infra.stacks.outputs import missing_stacks
from helpers.infra.stacks.status import find_stack, is_changing
from helpers.infra.stacks.sweep import FoundStack, Sweep, decide, find_stacks, remaining
from ml_pipeline.executions.executions import active_executions
from ml_pipeline.executions.target import ALL
from ml_pipeline.params import code_hashes
from ml_pipeline.params.spark_code import HASH_DIGITS
from ml_pipeline.project import Project, open_projects
from ml_pipeline.releases import code_sweep
from ml_pipeline.releases.history import entries, history_folder
from ml_pipeline.releases.registration import registered
from ml_pipeline.releases.removal import tear_down

if TYPE_CHECKING:
    from rich.console import Console
    from types_boto3_cloudformation import CloudFormationClient

Part = Literal["previews", "code"]
PARTS: tuple[Part, ...] = ("previews", "code")


def sweep(
    environment: Environment,
    console: "Console",
    *,
    dry_run: bool = False,
    versions_kept: int = code_sweep.VERSIONS_KEPT,
    parts: Sequence[Part] = PARTS,
) -> int:
    """Remove expired previews of the project, and unused code of one environment.

    Args:
        environment: the environment whose code is swept; its project determines the previews.
        console: the console for the output.
        dry_run: whether to only show what would be removed.
        versions_kept: how many of the newest versions keep their code, for rollbacks.
        parts: what to sweep.

    Returns:
        1 if a removal failed, otherwise 0.
    """
    failures = 0
    if "previews" in parts:
        failures += _sweep_previews(environment, console, dry_run=dry_run)
    if "code" in parts:
        _sweep_code(environment, console, dry_run=dry_run, versions_kept=versions_kept)
    return 1 if failures else 0


def _sweep_previews(environment: Environment, console: "Console", *, dry_run: bool) -> int:
    cloudformation = connect(environment).client("cloudformation")
    project = project_name()
    found = decide(_stacks(cloudformation, project), project, datetime.now(UTC))
    failures = 0
    for preview in found.expired:
        if dry_run:
            print_line(console, f"Would remove {preview}: it has expired.")
            continue
        if reason := _remove(preview, project, cloudformation, console):
            failures += 1
            print_line(console, f"Not removed: {preview}: {reason}")
        else:
            print_line(console, f"Removed {preview}: it had expired.")
    _show_rest(found, console)
    return failures


def _remove(preview: str, project: str, cloudformation: "CloudFormationClient", console: "Console") -> str:
    """Tear down a preview; return the reason of a failure, or an empty string."""
    try:
        tear_down(Environment(preview), console, ask=False)
    except (UserError, ClientError) as error:
        known = explain(error)
        return known.in_one_line() if known else str(error)
    left = remaining(_stacks(cloudformation, project), project, preview)
    return f"{', '.join(left)} is left; it is not a stack of this checkout." if left else ""


def _show_rest(found: Sweep, console: "Console") -> None:
    for line in found.kept:
        print_line(console, f"Kept {line}.")
    for line in found.reported:
        print_line(console, f"Look at {line}.")
    if not (found.expired or found.kept or found.reported):
        print_line(console, "No preview, and no stack that needs a look.")


def _stacks(cloudformation: "CloudFormationClient", project: str) -> list[FoundStack]:
    return find_stacks(cloudformation, project, [path.stem for path in INFRA.glob("*.yaml")])


def _sweep_code(environment: Environment, console: "Console", *, dry_run: bool, versions_kept: int) -> None:
    """Remove code that no pipeline uses. Pipelines may share a prefix, so all are examined together."""
    cloudformation = connect(environment).client("cloudformation")
    if missing := missing_stacks(cloudformation, environment):
        print_line(console, f"No code of {environment} is swept: {', '.join(missing)} is not deployed.")
        return
    if changing := _changing(cloudformation, environment):
        print_line(console, f"No code of {environment} is swept: someone is changing {', '.join(changing)}.")
        return
    projects = open_projects(environment, ALL)
    s3, bucket = projects[0].session.client("s3"), projects[0].artifact_bucket
    if reason := next(filter(None, map(_busy, projects)), ""):
        print_line(console, f"No code of {environment} is swept: {reason}.")
        return
    found = code_sweep.decide(
        code_sweep.staged_prefixes(s3, bucket),
        [text for project in projects for text in _registered_definition(project)],
        [each for project in projects for each in _recorded(project, versions_kept)],
        {each for project in projects for each in hashes_of_checkout(environment, project)},
        datetime.now(UTC),
    )
    for prefix in found.unused:
        if not dry_run:
            code_sweep.delete_prefix(s3, bucket, prefix)
        print_line(
            console, f"{'Would remove' if dry_run else 'Removed'} s3://{bucket}/{prefix}: nothing uses it."
        )
    for prefix, reason in found.kept.items():
        print_line(console, f"Kept s3://{bucket}/{prefix}: {reason}.")
    if not (found.unused or found.kept):
        print_line(console, f"No code lies in {bucket}.")


def hashes_of_checkout(environment: Environment, project: Project) -> list[str]:
    """Return the hashes of the code and packages that this checkout would stage."""
    packages = [bundle.digest[:HASH_DIGITS] for bundle in project.bundles.values()]
    return [*code_hashes(environment, project.pipeline.name).values(), *packages]


def _changing(cloudformation: "CloudFormationClient", environment: Environment) -> list[str]:
    """Return the stacks with an operation in progress, for which code may have been staged."""
    found = {name: find_stack(cloudformation, name) for name in stack_names(environment)}
    return [name for name, stack in found.items() if stack and is_changing(stack)]


def _registered_definition(project: Project) -> list[str]:
    there = registered(project.session.client("sagemaker"), project.name)
    return [there.definition] if there else []


def _recorded(project: Project, versions_kept: int) -> list[tuple[str, str]]:
    s3, folder = project.session.client("s3"), history_folder(project.pipeline.name)
    newest = islice(entries(s3, project.artifact_bucket, folder), versions_kept)
    return [(f"version {entry.version} of {project.name}", entry.definition) for entry in newest]


def _busy(project: Project) -> str:
    """Return the reason why an execution may still read otherwise unused code, or an empty string."""
    sagemaker = project.session.client("sagemaker")
    if registered(sagemaker, project.name) is None:
        return ""
    running = active_executions(sagemaker, project.target)
    return f"{running[0].arn} is {running[0].status}" if running else ""
