"""Environments: each is a file in infra/parameters/ with its settings and parameters.

`preview.json` is shared by the previews of pull requests, which are named `pr-<number>`.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from helpers.errors import UserError, one_per_line
from helpers.files import read_json_object
from helpers.project_settings import FILE as PROJECT_FILE
from helpers.project_settings import REGION, partition_problems, project_settings

PARAMETERS = Path(__file__).parents[1] / "infra" / "parameters"
PREVIEW = "preview"
"""The parameter file, and the GitHub environment, that all previews share."""
LOCAL = "local"
"""The environment of the embedded AWS."""

NAME = re.compile(r"(?!(pr|preview)$)[a-z][a-z0-9]{0,11}")
"""What a name must match. `pr` is excluded: the role of previews may change all that begins with `pr-`."""
LONGEST_DAYS_TO_LIVE = 90
_PREVIEW_NAME = re.compile(r"pr-[1-9][0-9]{0,5}")

SampleData = Literal["always", "when-empty", "never"]
"""When `make data` uploads samples: always, only if there is no input yet, or never."""


@dataclass(frozen=True)
class EnvironmentSettings:
    """The settings of an environment."""

    region: str
    """By default the region of the project."""
    promotion_order: int | None = None
    """A merge is deployed to environments in ascending order, and not to environments without a number."""
    approval: bool = False
    """Whether a reviewer approves each deployment."""
    protected: bool = False
    """Whether data is retained if stacks are deleted, and teardown needs `--allow-protected`."""
    sample_data: SampleData = "never"
    days_to_live: int | None = None
    """Days after a deployment until a preview expires."""


KEYS = {
    "Region": "region",
    "PromotionOrder": "promotion_order",
    "Approval": "approval",
    "Protected": "protected",
    "SampleData": "sample_data",
    "DaysToLive": "days_to_live",
}
"""The keys of a parameter file, with the fields that they set."""


class Environment(str):
    """The name of an environment."""

    __slots__ = ()

    def __new__(cls, name: str) -> "Environment":
        """Return the name.

        Raises:
            UserError: there is no such environment.
        """
        if not is_preview(name) and name not in _stems():
            known = [*names(), *(["pr-<number>"] if has_previews() else [])]
            raise UserError(
                f"unknown environment {name!r}; expected one of {', '.join(known)}",
                hint=f"Name one of them, or create infra/parameters/{name}.json",
            )
        return super().__new__(cls, name)

    @property
    def is_preview(self) -> bool:
        """Whether it is the preview of a pull request."""
        return is_preview(self)

    @property
    def file(self) -> str:
        """The name of its parameter files."""
        return file_of(self)

    @property
    def settings(self) -> EnvironmentSettings:
        """Its settings.

        Raises:
            UserError: its file is missing or malformed.
        """
        return read_settings(PARAMETERS / self.file)


def is_preview(name: str) -> bool:
    """Return whether a name is that of a preview. It is not if the project has no previews."""
    return _PREVIEW_NAME.fullmatch(name) is not None and has_previews()


def has_previews() -> bool:
    """Return whether the project has previews of pull requests."""
    return (PARAMETERS / f"{PREVIEW}.json").is_file()


def file_of(name: str) -> str:
    """Return the name of an environment's parameter files."""
    return f"{PREVIEW if _PREVIEW_NAME.fullmatch(name) else name}.json"


def names() -> tuple[str, ...]:
    """Return the names of long-lived environments: first those without, then those in promotion order."""
    found = {name: read_settings(PARAMETERS / f"{name}.json") for name in _stems()}
    return tuple(sorted(found, key=lambda name: (found[name].promotion_order or 0, name)))


def _stems() -> set[str]:
    return {path.stem for path in PARAMETERS.glob("*.json")} - {PREVIEW}


def environments() -> tuple[Environment, ...]:
    """Return all long-lived environments, in the order of `names`."""
    return tuple(map(Environment, names()))


def promoted() -> tuple[Environment, ...]:
    """Return the environments that a merge is deployed to, in promotion order."""
    return tuple(each for each in environments() if each.settings.promotion_order is not None)


def read_settings(path: Path, project: Path = PROJECT_FILE) -> EnvironmentSettings:
    """Return the settings in a parameter file.

    Args:
        path: the file, such as `infra/parameters/dev.json`.
        project: the file with the default region.

    Raises:
        UserError: a file is missing or malformed; the message names every problem.
    """
    content = read_json_object(path)
    values = {field: content[key] for key, field in KEYS.items() if key in content}
    if problems := _problems(path, values):
        raise UserError(
            f"{path} cannot be used:{one_per_line(problems)}",
            hint=f"Correct {path}, then run the command again",
        )
    return EnvironmentSettings(**{"region": project_settings(project).region, **values})


def _problems(path: Path, values: dict[str, Any]) -> list[str]:
    problems = []
    if path.stem != PREVIEW and not NAME.fullmatch(path.stem):
        problems.append(f"the environment's name {path.stem} must match {NAME.pattern}; rename the file")
    if not REGION.fullmatch(str(values.get("region", "us-east-1"))):
        problems.append(f"Region is {json.dumps(values['region'])}; write a region, such as us-east-1")
    problems += partition_problems(str(values.get("region", "")))
    for key, field in (("Approval", "approval"), ("Protected", "protected")):
        if not isinstance(values.get(field, False), bool):
            problems.append(f"{key} is {json.dumps(values[field])}; write true or false")
    if "promotion_order" in values and not _is_whole(values["promotion_order"]):
        problems.append(
            f"PromotionOrder is {json.dumps(values['promotion_order'])}; write a whole number from 1"
        )
    if (sample_data := values.get("sample_data", "never")) not in get_args(SampleData):
        choices = ", ".join(get_args(SampleData))
        problems.append(f"SampleData is {json.dumps(sample_data)}; write one of {choices}")
    if "days_to_live" in values:
        days = values["days_to_live"]
        if path.stem != PREVIEW:
            problems.append("DaysToLive applies to previews only; remove it")
        elif not _is_whole(days, LONGEST_DAYS_TO_LIVE):
            problems.append(
                f"DaysToLive is {json.dumps(days)}; write a whole number from 1 to {LONGEST_DAYS_TO_LIVE}"
            )
    return problems


def _is_whole(number: object, most: float = math.inf) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= most
