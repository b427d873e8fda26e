"""The answers to `make init`: names, environments and optional parts of a fork."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.environments import NAME
from helpers.errors import UserError, one_per_line
from helpers.files import read_json_object
from helpers.project_settings import KEYS as PROJECT_KEYS
from helpers.project_settings import partition_problems
from helpers.template.marks import marked_names
from helpers.template.parts import ENVIRONMENTS, Part, parts_of
from ml_pipeline.params.files import BASE, DEFAULT_PIPELINE
from ml_pipeline.scaffolding.names import check_job_name, check_name

PROJECT = "infra/project.json"
SAMPLE_JOB = "spark_jobs/process_pyspark.py"
"""The job for the sample data of the template. A fork without this file has its own job."""


@dataclass(frozen=True)
class Answers:
    """The answers to `make init`.

    Attributes:
        ProjectName, Owner, Repository, Region: as in infra/project.json.
        Environments: the environments to which a merge is deployed, in promotion order.
        Studio: whether to include SageMaker Studio.
        Previews: whether pull requests have previews.
        ModelLifeCycle: whether to include training, registration, approval and scoring of models.
        Schedules: whether workflows detect drift and delete unused code every night.
        Step: the name of your first step, which replaces the sample job; empty to keep the sample.
    """

    ProjectName: str
    Owner: str
    Repository: str
    Region: str
    Environments: tuple[str, ...]
    Studio: bool
    Previews: bool
    ModelLifeCycle: bool
    Schedules: bool
    Step: str = ""


@dataclass(frozen=True)
class Question:
    """A question: its text, and the function that parses an answer."""

    text: str
    parse: Callable[[str], Any]


def _project(key: str) -> Callable[[str], str]:
    _, pattern, example = PROJECT_KEYS[key]

    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise UserError(f"{text!r} does not match {pattern.pattern}", hint=f"Write it {example}")
        if key == "Region" and (problems := partition_problems(text)):
            raise UserError(problems[0], hint="Choose a Region of the partition aws, such as eu-north-1")
        return text

    return parse


def _environments(text: str) -> tuple[str, ...]:
    names = tuple(filter(None, re.split(r"[\s,]+", text)))
    if not names:
        raise UserError("no environment is named", hint="Name at least one, such as dev,prod")
    if wrong := [name for name in names if not NAME.fullmatch(name) or name == "local"]:
        raise UserError(
            f"{wrong[0]!r} cannot be the name of an environment",
            hint=f"Write a name that matches {NAME.pattern}, such as dev",
        )
    if len(set(names)) < len(names):
        raise UserError("an environment is named twice", hint="Name each environment once")
    return names


def _yes_or_no(text: str) -> bool:
    known = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}
    if text.lower() not in known:
        raise UserError(f"{text!r} is not an answer", hint="Write yes or no")
    return known[text.lower()]


def _step(text: str) -> str:
    if text:
        check_name("step", text)
        check_job_name(text)
    return text


QUESTIONS: Mapping[str, Question] = {
    "ProjectName": Question(
        "Name of the project, for the names of stacks, buckets and roles", _project("ProjectName")
    ),
    "Owner": Question("Responsible team, for tags and GitHub", _project("Owner")),
    "Repository": Question("GitHub repository, as owner/name", _project("Repository")),
    "Region": Question("AWS Region", _project("Region")),
    "Environments": Question("Environments to which a merge is deployed, in promotion order", _environments),
    "Studio": Question("SageMaker Studio", _yes_or_no),
    "Previews": Question("Previews of pull requests", _yes_or_no),
    "ModelLifeCycle": Question("Training, registry, approval and scoring of models", _yes_or_no),
    "Schedules": Question("Drift detection and sweeps every night", _yes_or_no),
    "Step": Question(
        "Name of your first step, which replaces the sample job (empty keeps the sample)", _step
    ),
}
"""The questions in order, by the name of the answer."""


def as_text(value: Any) -> str:
    """Return an answer as text, as you would type it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else ",".join(value)


def current_answers(root: Path) -> Answers:
    """Return the answers that correspond to the current files of a checkout.

    Raises:
        UserError: a file is missing or not valid JSON.
    """
    project = read_json_object(root / PROJECT)
    files = {path.stem: read_json_object(path) for path in (root / ENVIRONMENTS).glob("*.json")}
    orders = {name: file["PromotionOrder"] for name, file in files.items() if "PromotionOrder" in file}
    values: dict[str, Any] = {key: project[key] for key in PROJECT_KEYS}
    values |= {part.answer: _is_present(root, part, files.values()) for part in parts_of(root)}
    values["Environments"] = tuple(sorted(orders, key=lambda name: orders[name]))
    values["Step"] = "" if (root / SAMPLE_JOB).exists() else first_step(root)
    return Answers(**values)


def _is_present(root: Path, part: Part, environments: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a checkout has a part: one of its files, its stacks or its marks in a workflow."""
    if part.files:
        return any((root / path).exists() for path in part.files)
    if part.stacks:
        return any({*part.stacks} & {*environment.get("Stacks", [])} for environment in environments)
    workflows = (path.read_text(encoding="utf-8") for path in (root / ".github/workflows").glob("*.yml"))
    return any(part.name in marked_names(text) for text in workflows)


def first_step(root: Path) -> str:
    """Return the name of the first step in the parameter file of the first pipeline."""
    steps = read_json_object(root / "ml_pipeline" / "params" / BASE).get("steps", {})
    return next(iter(steps), DEFAULT_PIPELINE)


def answers_of(given: Mapping[str, Any], default: Answers, source: str) -> Answers:
    """Return the given answers, with defaults for missing ones.

    Args:
        given: answers by name: strings, Booleans or lists of strings.
        default: the values of missing answers.
        source: the origin of the answers, for messages.

    Raises:
        UserError: answers are not valid; the message lists all of them.
    """
    values, problems = dict(vars(default)), []
    for name, value in given.items():
        if name not in QUESTIONS:
            problems.append(f"{name}: unknown; expected {', '.join(QUESTIONS)}")
            continue
        try:
            values[name] = QUESTIONS[name].parse(as_text(value))
        except (UserError, TypeError) as error:
            problems.append(
                f"{name}: {error.in_one_line() if isinstance(error, UserError) else json.dumps(value)}"
            )
    if problems:
        raise UserError(
            f"{source} cannot be used:{one_per_line(problems)}",
            hint="Correct these answers, then run: make init",
        )
    return Answers(**values)
