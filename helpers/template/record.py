"""The record of a fork: the template's version, and the answers to `make init`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from helpers.errors import UserError, one_per_line
from helpers.files import read_json_object

FILE = ".template.json"


@dataclass(frozen=True)
class TemplateVersion:
    """A version of the template.

    Attributes:
        repository: the URL or path of the template, for `git fetch`.
        version: the tag, branch or commit that the user named.
        commit: the commit, as 40 hex digits.
    """

    repository: str
    version: str
    commit: str


@dataclass(frozen=True)
class Record:
    """The record of a fork in `.template.json`.

    Attributes:
        template: the version that the last upgrade merged, or None before the first upgrade.
        tree: the Git tree of the template when `make init` first ran, which identifies the version.
        answers: the answers to `make init`.
    """

    template: TemplateVersion | None = None
    tree: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)

    def as_text(self) -> str:
        """Return the contents of the file."""
        members: dict[str, Any] = {}
        if self.template:
            members["Template"] = {key.capitalize(): value for key, value in asdict(self.template).items()}
        elif self.tree:
            members["TemplateTree"] = self.tree
        if self.answers:
            members["Answers"] = dict(self.answers)
        return json.dumps(members, indent=2, ensure_ascii=False) + "\n"


def read_record(folder: Path) -> Record:
    """Return the record of a repository; it is empty if there is no file.

    Raises:
        UserError: the file is malformed; the message names every problem.
    """
    path = folder / FILE
    if not path.exists():
        return Record()
    content = read_json_object(path)
    kinds: Mapping[str, type] = {"Template": dict, "TemplateTree": str, "Answers": dict}
    problems = [f"unknown key {key}; expected {', '.join(kinds)}" for key in content.keys() - kinds.keys()]
    problems += [
        f"{key} is {json.dumps(content[key])}; write {'an object' if kind is dict else 'a string'}"
        for key, kind in kinds.items()
        if not isinstance(content.get(key, kind()), kind)
    ]
    names = ("Repository", "Version", "Commit")
    template = content.get("Template")
    if isinstance(template, dict) and [type(template.get(name)) for name in names] != [str] * len(names):
        problems.append(f"Template is {json.dumps(template)}; write {', '.join(names)}, a string each")
    if problems:
        raise UserError(
            f"{path} cannot be used:{one_per_line(problems)}", hint=f"Restore it with: git restore {path}"
        )
    return Record(
        template=TemplateVersion(*(template[name] for name in names)) if template else None,
        tree=content.get("TemplateTree", ""),
        answers=content.get("Answers", {}),
    )
