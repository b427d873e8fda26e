"""Computes the changes to the files of a fork for its answers to `make init`."""

import ipaddress
import re
from pathlib import Path
from typing import Any

from helpers.errors import UserError
from helpers.files import read_json_object
from helpers.project_settings import KEYS as PROJECT_KEYS
from helpers.template.git import Git
from helpers.template.parts import ENVIRONMENTS
from helpers.template.record import FILE, Record
from ml_pipeline.scaffolding.answers import PROJECT, Answers, current_answers
from ml_pipeline.scaffolding.changes import Changes
from ml_pipeline.scaffolding.edited_files import EditedFiles
from ml_pipeline.scaffolding.json_text import add_member
from ml_pipeline.scaffolding.parts import set_parts
from ml_pipeline.scaffolding.sample_job import replace_sample_job

_ON_GITHUB = (".github/CODEOWNERS", ".github/ISSUE_TEMPLATE/config.yml", "docs/platform-engineer.md")
"""Files that contain the names of the repository and the team on GitHub."""
_PARAMS = "ml_pipeline/params"


def fork_changes(root: Path, answers: Answers, record: Record) -> Changes:
    """Return the changes to a checkout for new answers. With unchanged answers, only the record can change.

    Args:
        root: the folder of the checkout.
        answers: the answers to `make init`.
        record: the new content of the record.

    Raises:
        UserError: an answer cannot be applied.
    """
    now = current_answers(root)
    if now.Step and answers.Step != now.Step:
        raise UserError(
            f"Step: {now.Step} has already replaced the sample job",
            hint=f"Keep Step {now.Step}, and add other steps with: make new-step",
        )
    files = EditedFiles(root)
    files.write(PROJECT, {key: getattr(answers, key) for key in PROJECT_KEYS})
    _rename_on_github(files, now, answers)
    _set_environments(files, now, answers)
    set_parts(files, now, answers, record)
    if answers.Step and not now.Step:
        replace_sample_job(files, answers)
    files.text(FILE, record.as_text())
    return files.changes()


def _rename_on_github(files: EditedFiles, now: Answers, answers: Answers) -> None:
    (old, new) = (each.Repository.partition("/")[0] for each in (now, answers))
    renamed = {
        now.Repository: answers.Repository,
        f"{old}/{now.Owner}": f"{new}/{answers.Owner}",
        f"{old}/": f"{new}/",
    }
    either = re.compile("|".join(map(re.escape, renamed)))
    for path in _ON_GITHUB:
        if files.exists(path):
            files.text(path, either.sub(lambda found: renamed[found[0]], files.read(path)))


def _set_environments(files: EditedFiles, now: Answers, answers: Answers) -> None:
    removed = set(now.Environments) - set(answers.Environments)
    models: dict[str, str] = {}
    for name in removed:
        files.delete(f"{ENVIRONMENTS}/{name}.json")
        files.delete(f"{_PARAMS}/{name}.json")
    for position, name in enumerate(answers.Environments):
        path = f"{ENVIRONMENTS}/{name}.json"
        if name not in now.Environments:
            models[name] = _model(now.Environments, answers.Environments, position)
            document = read_json_object(files.root / ENVIRONMENTS / f"{models[name]}.json")
            document["Parameters"] = {**document["Parameters"], "VpcCidr": _free_range(files)}
            files.write(path, document)
            files.write(f"{_PARAMS}/{name}.json", {})
        files.write(path, {**files.document(path), "PromotionOrder": 10 * (position + 1)})
    for path in list(files.paths_in(f"{_PARAMS}/pipelines")):
        sections = files.document(path).get("environments", {})
        for name, model in models.items():
            if model in sections:
                files.text(path, add_member(files.read(path), ("environments", name), sections[model]))
        if removed & sections.keys():
            document = files.document(path)
            kept = {
                name: section for name, section in document["environments"].items() if name not in removed
            }
            files.write(path, {**document, "environments": kept})


def _model(now: tuple[str, ...], wanted: tuple[str, ...], position: int) -> str:
    """Return the environment whose parameters a new one copies: the previous one, or the first one."""
    before = [name for name in wanted[:position] if name in now]
    return before[-1] if before else now[0]


def _free_range(files: EditedFiles) -> str:
    """Return the first free CIDR block. Blocks of environments must not overlap, because VPCs may be peered.

    Raises:
        UserError: all blocks are used.
    """
    used = {
        ipaddress.ip_network(files.document(path)["Parameters"]["VpcCidr"])
        for path in files.paths_in(ENVIRONMENTS)
    }
    free = (ipaddress.ip_network(f"10.{second}.0.0/16") for second in range(0, 256, 5))
    found = next((each for each in free if not any(each.overlaps(other) for other in used)), None)
    if found is None:
        raise UserError(
            "Environments: no CIDR block is free", hint=f"Choose VpcCidr in {ENVIRONMENTS} yourself"
        )
    return str(found)


def record_answers(root: Path, record: Record, answers: Answers) -> Record:
    """Return the record with these answers. The first record also contains the version of the template."""
    version = record.tree
    if not record.template and not version:
        git = Git(root)
        version = git("rev-parse", "HEAD^{tree}") if git.commit("HEAD") else ""
    return Record(record.template, version, {name: as_answer(value) for name, value in vars(answers).items()})


def as_answer(value: Any) -> Any:
    """Return an answer as a JSON value."""
    return value if isinstance(value, bool | str) else list(value)
