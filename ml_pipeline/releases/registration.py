"""Compares registered pipelines with those of this checkout, and creates or updates them."""

import difflib
import json
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from botocore.exceptions import ClientError

from helpers.infra.tags.tags import get_tags_input
from ml_pipeline.definitions import Registration, canonical
from ml_pipeline.executions.executions import is_missing

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


def registered(sagemaker: "SageMakerClient", name: str) -> Registration | None:
    """Return a pipeline as it was last upserted, or None."""
    try:
        pipeline = sagemaker.describe_pipeline(PipelineName=name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=pipeline["PipelineArn"])
    return Registration(
        pipeline["PipelineDefinition"],
        pipeline.get("PipelineDescription", ""),
        pipeline.get("RoleArn", ""),
        {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]},
    )


def difference(old: Registration | None, new: Registration, new_name: str = "this checkout") -> list[str]:
    """Return a unified diff from the registered pipeline to that of this checkout; empty if equal.

    Tags that others have added to the pipeline are kept and are not a difference.
    """
    before = [] if old is None else _lines(old, only_tags_of=new)
    return list(difflib.unified_diff(before, _lines(new), "registered", new_name, lineterm=""))


def upsert(
    sagemaker: "SageMakerClient", name: str, new: Registration
) -> Literal["created", "updated", "unchanged"]:
    """Create or update the pipeline.

    The SDK's upsert reads the role from IAM and simulates its policies, which a least-privilege role is not
    allowed to do.
    """
    old = registered(sagemaker, name)
    if old is None:
        sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=new.definition,
            PipelineDescription=new.description,
            RoleArn=new.role_arn,
            Tags=get_tags_input(new.tags),  # type: ignore[arg-type]  # plain dicts instead of TagTypeDef
            ClientRequestToken=str(uuid4()),
        )
        return "created"
    if not difference(old, new):
        return "unchanged"
    answer = sagemaker.update_pipeline(
        PipelineName=name,
        PipelineDefinition=new.definition,
        PipelineDescription=new.description,
        RoleArn=new.role_arn,
    )
    changed = {key: value for key, value in new.tags.items() if old.tags.get(key) != value}
    if changed:
        sagemaker.add_tags(
            ResourceArn=answer["PipelineArn"],
            Tags=get_tags_input(changed),  # type: ignore[arg-type]  # plain dicts instead of TagTypeDef
        )
    return "updated"


def _lines(registration: Registration, only_tags_of: Registration | None = None) -> list[str]:
    wanted = registration.tags if only_tags_of is None else only_tags_of.tags
    return [
        f"role: {registration.role_arn}",
        f"description: {json.dumps(registration.description, ensure_ascii=False)}",
        *(f"tag {key}: {value}" for key, value in sorted(registration.tags.items()) if key in wanted),
        *canonical(registration.definition).splitlines(),
    ]
