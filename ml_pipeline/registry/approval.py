"""Approves and rejects versions.

SageMaker has no conditional update: of two people who approve or reject at the same time, the later one wins.
So each reads again after the update, and reports what the other one did.
"""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from helpers.errors import UserError, one_per_line
from ml_pipeline.registry.packages import APPROVED, APPROVED_BY, REJECTED, champion, describe
from ml_pipeline.registry.sample import needs_scoring, promote_command
from ml_pipeline.registry.serving import serving_problems

if TYPE_CHECKING:
    from boto3 import Session

    from ml_pipeline.registry.group import ModelGroup
    from ml_pipeline.registry.packages import Package

RECORDED = frozenset(f"{verb}-{what}" for verb in ("approved", "rejected") for what in ("by", "at", "in"))
"""The customer's metadata properties that record a decision."""
REJECTED_BY = "rejected-by"
"""The customer's metadata property that names who rejected a version."""
_CARD_STATUS: Final = {APPROVED: "Approved", REJECTED: "Archived"}
"""The status of the model card of a version, by that of the version. A card has no status for a rejection."""


def approve(group: "ModelGroup", version: int, *, uncompared: bool = False) -> str:
    """Approve a version that can be served, so that it becomes the active version; return what was done.

    Args:
        group: of the version.
        version: its number.
        uncompared: whether it may be one that was not compared with the active version.

    Raises:
        UserError: there is no such version, a newer one is approved, this one cannot be served, it was not
            compared with the active one, or it was promoted and its sample was not scored. Nothing was
            changed then. Or someone else has rejected it at the same time.
    """
    package, active = group.find(version), champion(group.sagemaker, group.name)
    if active and active.version > version:
        raise UserError(
            f"Version {active.version} is approved and newer than {version}, and the newest approved version "
            "is the active version",
            hint=f"Reject it first: {group.command('reject', MODEL=str(active.version))}",
        )
    if package.approved:
        return f"Version {version} is approved already, by {package.approved_by or 'someone unknown'}."
    if problems := serving_problems(group, package):
        raise UserError(
            f"Version {version} cannot be used, and was not approved:{one_per_line(problems)}",
            hint=f"Approve another version; list them with: {group.command('models')}",
        )
    if active and not package.compared and not uncompared:
        raise UserError(
            f"Version {version} was not compared with version {active.version}, which is active: an event "
            "started its training, and no event has the active version",
            hint=f"Compare them: {group.command('compare', MODEL=str(version), WITH=str(active.version))}, "
            f"then approve it with: {group.command('approve', MODEL=str(version), ARGS='--uncompared')}",
        )
    if needs_scoring(package):
        raise UserError(
            f"Version {version} was promoted, and its sample has not been scored in {group.environment}",
            hint=f"Score it with: {promote_command(group, package)}",
        )
    found = _update(group, package, APPROVED)
    if not found.approved:
        raise UserError(
            f"Version {version} was rejected at the same time, {_by(found, REJECTED_BY)}",
            hint=f"Agree on a decision, then look at the versions with: {group.command('models')}",
        )
    active = champion(group.sagemaker, group.name)
    if active and active.version > version:
        return (
            f"Version {version} is approved. Version {active.version} was approved at the same time, "
            f"{_by(active, APPROVED_BY)}, and is the active one."
        )
    if group.scoring_pipeline:
        return f"Version {version} is approved and active. Its approval starts {group.scoring_pipeline}."
    return (
        f"Version {version} is approved and active. Score with it: {group.command('run', PIPELINE='score')}"
    )


def reject(group: "ModelGroup", version: int) -> str:
    """Reject a version. Where it was active, the version approved before is again; return what was done.

    Raises:
        UserError: there is no such version, or someone else has approved it at the same time. Or the version
            that is active now cannot be served; this one is rejected all the same.
    """
    package, before = group.find(version), champion(group.sagemaker, group.name)
    if package.status == REJECTED:
        return f"Version {version} is rejected already. {_active_line(before)}"
    found = _update(group, package, REJECTED)
    if found.status != REJECTED:
        raise UserError(
            f"Version {version} was approved at the same time, {_by(found, APPROVED_BY)}",
            hint=f"Agree on a decision, then look at the versions with: {group.command('models')}",
        )
    active = champion(group.sagemaker, group.name)
    if before is None or before.version != version:
        return f"Version {version} is rejected. {_active_line(active)}"
    if active is None:
        return (
            f"Version {version} is rejected, and no approved version is left: nothing is scored until one is "
            f"approved, {group.command('approve', MODEL='N')}"
        )
    if problems := serving_problems(group, active):
        raise UserError(
            f"Version {version} is rejected, but version {active.version}, which is active again, cannot be "
            f"used:{one_per_line(problems)}",
            hint=f"Approve another version; list them with: {group.command('models')}",
        )
    return (
        f"Version {version} is rejected, and version {active.version} is active again. Score with it: "
        f"{group.command('run', PIPELINE='score')}"
    )


def _update(group: "ModelGroup", package: "Package", status: Literal["Approved", "Rejected"]) -> "Package":
    """Set the status of a package, record who did it, and return the package as it is then."""
    verb = status.lower()
    record = {
        f"{verb}-by": caller(group.session),
        f"{verb}-at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        **({f"{verb}-in": run} if (run := _workflow_run()) else {}),
    }
    # AWS changes the status of a card without its content, which stays.
    card: dict[str, Any] = {"ModelCard": {"ModelCardStatus": _CARD_STATUS[status]}} if package.card else {}
    group.sagemaker.update_model_package(
        ModelPackageArn=package.arn, ModelApprovalStatus=status, CustomerMetadataProperties=record, **card
    )
    return describe(group.sagemaker, package.arn)


def caller(session: "Session") -> str:
    """Return the ARN of the caller."""
    return session.client("sts").get_caller_identity()["Arn"]


def _workflow_run() -> str | None:
    """Return the address of the run of a workflow that this is, where GitHub has its reviewers on record."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name) for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None


def _by(package: "Package", name: str) -> str:
    return f"by {package.properties.get(name, package.modified_by or 'someone unknown')}"


def _active_line(active: "Package | None") -> str:
    return f"Version {active.version} is active." if active else "No version is approved."
