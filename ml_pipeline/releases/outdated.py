"""Detects outdated deployments, whose commit does not descend from the registered one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import UserError, one_per_line
from ml_pipeline.executions.target import Target
from ml_pipeline.releases.registration import registered
from ml_pipeline.releases.revision import ROOT, UNKNOWN, descends

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

MARK = "gitops:commit"
"""The tag of a pipeline with the commit that it was registered from."""


def reject_outdated(
    sagemaker: "SageMakerClient", targets: Sequence[Target], commit: str, root: Path = ROOT
) -> list[str]:
    """Return what there is to report about the registered commits.

    Args:
        sagemaker: a client.
        targets: the pipelines.
        commit: the commit to deploy.
        root: the checkout, with its Git history.

    Raises:
        UserError: a pipeline is registered from a commit that is not an ancestor of this one.
    """
    lines, newer = [], []
    for target in targets:
        there = registered(sagemaker, target.name)
        old = there.tags.get(MARK, UNKNOWN) if there else ""
        if not old:
            lines.append(f"{target.name} is not registered yet.")
            continue
        match descends(commit, old, root):
            case True:
                lines.append(f"{commit} descends from {old}, the commit of {target.name}.")
            case False:
                newer.append(f"{target.name} is registered from {old}")
            case None:
                lines.append(f"{target.name} is registered from {old}, which is not in this repository.")
    if newer:
        raise UserError(
            f"{commit} is outdated, and nothing was deployed: it does not descend from what is "
            f"there.{one_per_line(newer)}",
            hint="Deploy a newer commit. To go back on purpose, start the workflow rollback",
        )
    return lines
