"""Empties model package groups, because SageMaker deletes only empty ones."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from rich.console import Console
    from types_boto3_sagemaker import SageMakerClient


def empty_group(sagemaker: "SageMakerClient", group: str, console: "Console") -> None:
    """Delete all versions in a group, given its name or ARN, if the group exists."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    try:
        packages = [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
    except ClientError as error:
        if _is_missing(error):
            return
        raise
    for package in packages:
        try:
            sagemaker.delete_model_package(ModelPackageName=package)
        except ClientError as error:
            if not _is_missing(error):  # another command has deleted it
                raise
    console.print(f"Emptied {group}: {len(packages)} model packages.", highlight=False)


def _is_missing(error: ClientError) -> bool:
    details = error.response["Error"]
    return details["Code"] == "ResourceNotFound" or "does not exist" in details.get("Message", "")
