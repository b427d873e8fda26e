"""Deploys the public templates of AWS at a fixed commit to a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from moto.cloudformation.exceptions import ValidationError

from helpers.local_aws.cloudformation.templates.reading import read_template
from tests.peers.checkouts import Source
from tests.peers.comparison import Results

TEMPLATES = Source(
    "TEMPLATES",
    "https://github.com/aws-cloudformation/aws-cloudformation-templates",
    "142ce6f283d285fa370adb7f9d332d7f46dac5fc",
)
CAPABILITIES = ("CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")


def deploy(folder: Path, endpoint: str) -> Results:
    """Create and delete a stack for each template that requires no parameters.

    Args:
        folder: folder with the extracted TEMPLATES.
        endpoint: address of the server.

    Returns:
        Whether each stack was created and deleted, by `templates/` and the template's path.
    """
    cloudformation = boto3.client(
        "cloudformation",
        "us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    results = {}
    for path in _without_parameters(folder):
        requests.post(f"{endpoint}/moto-api/reset", timeout=60).raise_for_status()
        results[f"templates/{path.relative_to(folder)}"] = _lives(cloudformation, path)
    return results


def _without_parameters(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.y*ml")):
        text = path.read_text()
        try:
            template = read_template(text)
        except ValidationError:
            continue  # not a template
        parameters = template.get("Parameters", {}).values()
        needs_parameters = not all("Default" in each for each in parameters)
        # Modules of Rain are not part of CloudFormation.
        if "Resources" in template and not needs_parameters and "Rain::" not in text:
            yield path


def _lives(cloudformation: Any, path: Path) -> bool:
    try:
        stack_id = cloudformation.create_stack(
            StackName="peer", TemplateBody=path.read_text(), Capabilities=CAPABILITIES
        )["StackId"]
        statuses = [_status(cloudformation, stack_id)]
        cloudformation.delete_stack(StackName=stack_id)
        statuses.append(_status(cloudformation, stack_id))
    except (ClientError, ResponseParserError):  # the latter is a server error of moto
        return False
    return statuses == ["CREATE_COMPLETE", "DELETE_COMPLETE"]


def _status(cloudformation: Any, stack_id: str) -> str:
    return str(cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"])
