"""Removes optional parts from a fork, and restores them from the fork's version of the template."""

import json
from collections.abc import Collection, Iterable

from helpers.errors import UserError, one_per_line
from helpers.template.git import Git
from helpers.template.parts import ENVIRONMENTS, Part, Version, absent_parts, grep_marks, parts_of, without
from helpers.template.record import Record
from ml_pipeline.scaffolding.answers import Answers
from ml_pipeline.scaffolding.edited_files import EditedFiles


def set_parts(files: EditedFiles, now: Answers, answers: Answers, record: Record) -> None:
    """Remove the parts that the answers exclude, and restore missing parts that they include.

    Raises:
        UserError: a part cannot be restored.
    """
    parts = parts_of(files.root)
    before, after = (absent_parts(parts, vars(each)) for each in (now, answers))
    if gone := [part for part in after if part not in before]:
        for path, text in without(gone, _WorkingTree(files)).items():
            files.delete(path) if text is None else files.text(path, text)
    if any(part not in after for part in before):
        version = Version(Git(files.root), record.template.commit if record.template else record.tree)
        if not version.exists():
            raise UserError(
                "The parts cannot be restored: the Git history does not contain the template's version",
                hint="Fetch it with: git fetch --unshallow",
            )
        _restore(files, version, before, answers)


class _WorkingTree:
    """The files of a checkout, including changes that are not yet written."""

    def __init__(self, files: EditedFiles):
        self._files, self._git = files, Git(files.root)

    def paths(self) -> Collection[str]:
        """Return the paths of tracked and new files, without ignored ones."""
        listed = self._git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        return [
            path for path in {*listed[:-1], *self._files.paths_in(ENVIRONMENTS)} if self._files.exists(path)
        ]

    def marked(self) -> Iterable[str]:
        """Return the paths of files with marks of parts."""
        return [path for path in grep_marks(self._git, "--untracked") if self._files.exists(path)]

    def read(self, path: str) -> str:
        """Return the text of a file, including changes."""
        return self._files.read(path)


def _restore(files: EditedFiles, version: Version, missing: Collection[Part], answers: Answers) -> None:
    """Restore missing parts from the template, and keep the fork's changes to shared files.

    Shared files are merged three-way. The base is the template without the parts that were or will be
    missing. The other side is the template without the parts that will be missing.

    Raises:
        UserError: a merge has conflicts.

    """
    parts = version.parts()
    names = {part.name for part in missing}
    after = absent_parts(parts, vars(answers))
    old = without([part for part in parts if part.name in names or part in after], version)
    new = without(after, version)
    conflicts = []
    for path in sorted(
        path for path in {*old, *new} if (path in old, old.get(path)) != (path in new, new.get(path))
    ):
        restored = new[path] if path in new else version.read(path)
        base = old[path] if path in old else version.read(path)
        if restored is None:
            continue
        if base is None:
            files.text(path, restored)
        elif files.exists(path):
            merged = version.git.merged(files.read(path), base, restored)
            conflicts += [path] if merged is None else []
            files.text(path, merged or "")
    if conflicts:
        raise UserError(
            f"The fork has changed lines next to restored ones in:{one_per_line(conflicts)}",
            hint="Copy these lines from the template by hand, or undo the changes, then run: make init",
        )
    _add_stacks(files, version, [part for part in parts if part.name in names and part not in after])


def _add_stacks(files: EditedFiles, version: Version, restored: Collection[Part]) -> None:
    """Add restored stacks to the fork's own environments, if all environments of the template have them."""
    theirs = {
        path: json.loads(version.read(path))["Stacks"]
        for path in version.paths()
        if path.startswith(f"{ENVIRONMENTS}/")
    }
    order = max(theirs.values(), key=len)
    stacks = {
        stack for part in restored for stack in part.stacks if all(stack in each for each in theirs.values())
    }
    for path in list(files.paths_in(ENVIRONMENTS)) if stacks else ():
        if path not in theirs:
            document = files.document(path)
            there = stacks | {*document["Stacks"]}
            files.write(path, {**document, "Stacks": [stack for stack in order if stack in there]})
