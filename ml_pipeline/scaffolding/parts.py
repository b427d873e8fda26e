"""Optional parts that a fork leaves out, or gets back from its version of the template."""

import json
from collections.abc import Collection, Iterable

from helpers.errors import UserError, one_per_line
from helpers.template.git import Git
from helpers.template.parts import ENVIRONMENTS, Part, Version, absent_parts, grep_marks, parts_of, without
from helpers.template.record import Record
from ml_pipeline.scaffolding.answers import Answers
from ml_pipeline.scaffolding.edited_files import EditedFiles


def set_parts(files: EditedFiles, now: Answers, answers: Answers, record: Record) -> None:
    """Delete the parts that the answers leave out, and restore those that are missing.

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
                "What was left out cannot be restored: the history does not have the template's version",
                hint="Fetch it with: git fetch --unshallow",
            )
        _restore(files, version, before, answers)


class _WorkingTree:
    """The files of a checkout, as they will be."""

    def __init__(self, files: EditedFiles):
        self._files, self._git = files, Git(files.root)

    def paths(self) -> Collection[str]:
        """Return the paths of the files that git keeps, and of new ones."""
        listed = self._git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        return [path for path in {*listed[:-1], *self._files.below(ENVIRONMENTS)} if self._files.exists(path)]

    def marked(self) -> Iterable[str]:
        """Return those of the files with marks."""
        return [path for path in grep_marks(self._git, "--untracked") if self._files.exists(path)]

    def read(self, path: str) -> str:
        """Return the text that a file will have."""
        return self._files.read(path)


def _restore(files: EditedFiles, version: Version, missing: Collection[Part], answers: Answers) -> None:
    """Bring what the template has besides, with the fork's own changes to shared files kept.

    A shared file is merged: from the template without all parts that are or were missing, to the template
    without those that are missing from now on.
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
            f"The fork has changed the lines around what is restored in:{one_per_line(conflicts)}",
            hint="Copy these lines from the template by hand, or undo the changes, then run: make init",
        )
    _add_stacks(files, version, [part for part in parts if part.name in names and part not in after])


def _add_stacks(files: EditedFiles, version: Version, restored: Collection[Part]) -> None:
    """Give environments of the fork's own the restored stacks that all environments of the template have."""
    theirs = {
        path: json.loads(version.read(path))["Stacks"]
        for path in version.paths()
        if path.startswith(f"{ENVIRONMENTS}/")
    }
    order = max(theirs.values(), key=len)
    stacks = {
        stack for part in restored for stack in part.stacks if all(stack in each for each in theirs.values())
    }
    for path in list(files.below(ENVIRONMENTS)) if stacks else ():
        if path not in theirs:
            document = files.document(path)
            there = stacks | {*document["Stacks"]}
            files.write(path, {**document, "Stacks": [stack for stack in order if stack in there]})
