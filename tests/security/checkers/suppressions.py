"""Accepted findings of checkers: suppressions.yaml."""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from checkers.tools import Finding

INFRA = Path(__file__).parents[3] / "infra"
SOURCE = Path(__file__).with_name("suppressions.yaml")


@dataclass(frozen=True)
class Suppression:
    """Patterns of findings, and why they are accepted."""

    tool: str
    rule: str
    reason: str
    where: str = "*"
    what: str | list[str] = "*"

    @property
    def patterns(self) -> list[str]:
        """The patterns of `what`."""
        return [self.what] if isinstance(self.what, str) else self.what

    def covers(self, finding: Finding) -> bool:
        """Return whether a finding is accepted."""
        return (
            self.tool == finding.tool
            and fnmatchcase(finding.rule, self.rule)
            and fnmatchcase(finding.where, self.where)
            and any(fnmatchcase(finding.what, pattern) for pattern in self.patterns)
        )

    def one_by_one(self) -> list["Suppression"]:
        """Return the same suppression with one pattern of `what` each."""
        return [replace(self, what=pattern) for pattern in self.patterns]


def load() -> tuple[Suppression, ...]:
    """Return all suppressions in the order of their file."""
    return tuple(Suppression(**entry) for entry in yaml.safe_load(SOURCE.read_text(encoding="utf-8")))
