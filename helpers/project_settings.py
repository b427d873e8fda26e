"""The settings of the project, in infra/project.json."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.errors import UserError, one_per_line
from helpers.files import read_json_object

FILE = Path(__file__).parents[1] / "infra" / "project.json"
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_OTHER_PARTITION = re.compile(r"(cn|us-gov|us-iso\w*|eu-iso\w*|eusc)-")
"""The prefixes of regions outside the partition `aws`."""


@dataclass(frozen=True)
class ProjectSettings:
    """The settings that stacks, pipelines and workflows share."""

    project_name: str
    owner: str
    repository: str
    """The GitHub repository, as owner/name."""
    region: str
    """The region of environments whose parameter files do not name another."""


KEYS = {
    "ProjectName": ("project_name", re.compile(r"[a-z][a-z0-9-]{1,22}[a-z0-9]"), "as fares"),
    "Owner": ("owner", re.compile(r"[\w .:/=+@-]{1,256}"), "the team that is responsible, as fares-team"),
    "Repository": ("repository", re.compile(r"[\w.-]+/[\w.-]+"), "as owner/name"),
    "Region": ("region", REGION, "as us-east-1"),
}
"""The keys of the file: the field that each sets, what it must match, and an example."""


@cache
def project_settings(path: Path = FILE) -> ProjectSettings:
    """Return the settings of the project.

    Raises:
        UserError: the file is missing or malformed; the message names every problem.
    """
    content = read_json_object(path)
    problems = [f"unknown key {key}; expected {', '.join(KEYS)}" for key in content.keys() - KEYS.keys()]
    for key, (_, pattern, example) in KEYS.items():
        value = content.get(key)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            problems.append(
                f"{key} is {json.dumps(value)}; write it {example} (it must match {pattern.pattern})"
            )
    problems += partition_problems(str(content.get("Region", "")))
    if problems:
        raise UserError(
            f"{path} cannot be used:{one_per_line(problems)}",
            hint=f"Correct {path}, or answer again with: make init",
        )
    return ProjectSettings(**{field: content[key] for key, (field, *_) in KEYS.items()})


def partition_problems(region: str) -> list[str]:
    """Return the problem of a region in China, GovCloud or another partition, or an empty list."""
    if not _OTHER_PARTITION.match(region):
        return []
    return [
        f"Region is {region}, which is not in the partition aws: the templates do not support the "
        "endpoints, images and prices of China, GovCloud and other partitions; choose another region"
    ]
