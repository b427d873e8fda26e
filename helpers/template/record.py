"""The version of the template that a fork has: .template.json."""

import json
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import UserError, one_per_line
from helpers.files import read_json_object

FILE = ".template.json"
KEYS = {"Repository": "address or path", "Version": "tag or commit", "Commit": "commit"}


@dataclass(frozen=True)
class TemplateVersion:
    """Where a template comes from, and which commit of it a fork has.

    Attributes:
        repository: an address or path that `git fetch` reads.
        version: what it was asked for as: a tag, a branch or a commit.
        commit: the commit, as 40 hex digits.
    """

    repository: str
    version: str
    commit: str

    def as_text(self) -> str:
        """Return the contents of the file."""
        values = (self.repository, self.version, self.commit)
        return json.dumps(dict(zip(KEYS, values, strict=True)), indent=2) + "\n"


def recorded(folder: Path) -> TemplateVersion | None:
    """Return what a repository's file records, or None where there is no file.

    Raises:
        UserError: the file is malformed; the message names every problem.
    """
    path = folder / FILE
    if not path.exists():
        return None
    content = read_json_object(path)
    problems = [f"unknown key {key}; expected {', '.join(KEYS)}" for key in content.keys() - KEYS.keys()]
    problems += [
        f"{key} is {json.dumps(content.get(key))}; write the template's {meaning}"
        for key, meaning in KEYS.items()
        if not isinstance(content.get(key), str) or not content[key]
    ]
    if problems:
        raise UserError(f"{path} cannot be used:{one_per_line(problems)}")
    return TemplateVersion(*(content[key] for key in KEYS))
