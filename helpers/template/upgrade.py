"""Merges a later version of the template into a fork with a three-way merge.

Git merges by history, and a repository created with "Use this template" has no history in common with the
template. An upgrade therefore creates one commit, from the tree of the recorded version to that of the later
version. `git cherry-pick` applies it, so that Git handles conflicts, renames and file modes.
"""

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from helpers.errors import UserError, one_per_line
from helpers.progress import OneStep
from helpers.template.git import Git
from helpers.template.parts import Version, absent_parts, without
from helpers.template.record import FILE, Record, TemplateVersion, read_record

BEFORE, PICKED = "refs/template/before", "refs/template/picked"
"""While an upgrade is in progress: the fork's commit before it, and the commit that is applied."""
_FETCHED = ("+refs/heads/*:refs/template/heads/*", "+refs/tags/*:refs/template/tags/*")
_NEWEST = 5
STEPS = FETCH, MERGE = ("fetch the template", "merge its changes")
_CONTINUE = "make upgrade ARGS=--continue"
_ABORT = "make upgrade ARGS=--abort"


@dataclass(frozen=True)
class Upgraded:
    """The result of an upgrade.

    Attributes:
        version: the version that the fork has when all conflicts are resolved.
        conflicts: the files with conflicts; empty if the upgrade is committed.
        stay_deleted: the files that the template changed and the fork had deleted, which stay deleted.
    """

    version: TemplateVersion
    conflicts: Sequence[str]
    stay_deleted: Sequence[str]


def upgrade(
    git: Git, to: str, *, start: str = "", template: str = "", step: OneStep = nullcontext
) -> Upgraded:
    """Merge a version of the template into the fork and commit it, unless there are conflicts.

    Args:
        git: the fork.
        to: a tag, branch or commit of the template.
        start: the version that the fork was created from, if it is not recorded and cannot be found.
        template: the URL or path of the template, if it is not recorded.
        step: returns a context manager around each of STEPS, as `Progress.step` does.

    Raises:
        UserError: there are uncommitted changes, an upgrade is in progress, a version is unknown, or the fork
            already has this version or a later one.
    """
    _require_clean(git)
    known = read_record(git.folder)
    repository = template or (known.template.repository if known.template else "")
    if not repository:
        raise UserError(
            f"{FILE} records no template yet",
            hint=f"Name it: make upgrade TO={to} TEMPLATE=<address or path>",
        )
    with step(FETCH):
        git("fetch", "--quiet", "--no-tags", repository, *_FETCHED)
    target = _resolve(git, to)
    base = _resolve(git, start) if start else _base(git, known, target)
    if base == target:
        raise UserError(
            f"The fork already has {to} of the template",
            hint="Name a later version: make upgrade TO=<version>",
        )
    if git.run("merge-base", "--is-ancestor", base, target).returncode:
        raise UserError(
            f"{to} is not later than the version that the fork has, {_short(base)}",
            hint="Name a later version: make upgrade TO=<version>",
        )
    version = TemplateVersion(repository, to, target)
    git("update-ref", BEFORE, "HEAD")
    git("update-ref", PICKED, _commit_of(git, base, known, version))
    try:
        with step(MERGE):
            return _merge(git, version)
    except KeyboardInterrupt as interruption:
        interruption.add_note(f"The upgrade is not complete. Undo it with: {_ABORT}")
        raise


def _merge(git: Git, version: TemplateVersion) -> Upgraded:
    """Merge the commit at PICKED into the fork."""
    picked = git.run("cherry-pick", "--allow-empty", "--keep-redundant-commits", PICKED)
    stay_deleted = _keep_deleted(git)
    conflicts = _conflicts(git)
    if conflicts:
        return Upgraded(version, conflicts, stay_deleted)
    if _in_progress(git):
        git("-c", "core.editor=true", "cherry-pick", "--continue")
    elif picked.returncode:
        _forget(git)
        raise UserError(
            f"git cherry-pick: {picked.stderr.strip()}",
            hint="Correct what git reports, then run the command again",
        )
    _forget(git)
    return Upgraded(version, (), stay_deleted)


def resume(git: Git) -> None:
    """Commit an upgrade whose conflicts are resolved.

    Raises:
        UserError: no upgrade is in progress, or there are unresolved conflicts.
    """
    if not _in_progress(git):
        raise UserError("No upgrade is in progress", hint="Begin one with: make upgrade TO=<version>")
    marked = git.run("diff", "--check", "HEAD").stdout
    left = sorted({line.split(":")[0] for line in marked.splitlines() if "leftover conflict marker" in line})
    if left := left or list(_conflicts(git)):
        raise UserError(
            f"Conflicts are left in:{one_per_line(left)}",
            hint=f"Resolve them, `git add` the files, then run: {_CONTINUE}",
        )
    git("-c", "core.editor=true", "cherry-pick", "--continue")
    _forget(git)


def abort(git: Git) -> None:
    """Restore the commit before the upgrade, also if the upgrade was killed.

    Raises:
        UserError: no upgrade is in progress, or it is already committed.
    """
    before = git.commit(BEFORE)
    if before is None:
        raise UserError("No upgrade is in progress", hint="Begin one with: make upgrade TO=<version>")
    if git.commit("HEAD") != before:
        _forget(git)
        raise UserError("The upgrade is already committed", hint="Undo it with: git revert HEAD")
    git.run("cherry-pick", "--quit")
    git("reset", "--quiet", "--hard", before)
    _remove_written(git, before)
    _forget(git)


def _require_clean(git: Git) -> None:
    if git.commit(BEFORE):
        raise UserError(
            "An upgrade is in progress", hint=f"Complete it with: {_CONTINUE}. To undo it, run: {_ABORT}"
        )
    if changed := git("status", "--porcelain", "--untracked-files=no").splitlines():
        raise UserError(
            f"There are changes that are not committed:{one_per_line([line[3:] for line in changed])}",
            hint="Commit or stash them, then run the command again",
        )


def _resolve(git: Git, name: str) -> str:
    for place in ("refs/template/tags/", "refs/template/heads/"):
        if found := git.commit(f"{place}{name}"):
            return found
    if found := git.commit(name) if len(name) >= 7 else None:
        return found
    tags = git(
        "for-each-ref", "--sort=-creatordate", "--format=%(refname:lstrip=3)", "refs/template/tags/"
    ).splitlines()
    there = f"Its newest tags: {', '.join(tags[:_NEWEST])}" if tags else "It has no tags"
    raise UserError(
        f"The template has no tag, branch or commit {name!r}",
        hint=f"Name another: make upgrade TO=<version>. {there}",
    )


def _base(git: Git, known: Record, target: str) -> str:
    """Return the commit of the template that the fork has.

    If none is recorded, this is the merge base, or the commit whose files the first commit of the fork has.
    """
    if known.template:
        return _resolve(git, known.template.commit)
    if common := git.run("merge-base", "HEAD", target).stdout.strip():
        return common
    roots = git("rev-list", "--max-parents=0", "HEAD").splitlines()
    trees = {known.tree, *(git("rev-parse", f"{root}^{{tree}}") for root in roots)}
    for line in git("log", "--format=%H %T", target).splitlines():
        commit, tree = line.split()
        if tree in trees:
            return commit
    raise UserError(
        "No commit of the template has the files of the fork's first commit",
        hint="Name the version that the fork was made from: make upgrade TO=… FROM=<tag or commit of the "
        "template>",
    )


def _commit_of(git: Git, base: str, record: Record, version: TemplateVersion) -> str:
    """Create a commit that changes the base to a version, and updates the record; return its hash.

    Both trees exclude the parts that the fork does not have, so that changes to these parts do not conflict.
    """
    has_record = git.run("cat-file", "-e", f"HEAD:{FILE}").returncode == 0
    before = git("show", f"HEAD:{FILE}") + "\n" if has_record else None
    after = replace(record, template=version).as_text()
    subject = f"Upgrade the template from {_short(base)} to {version.version}"
    message = f"{subject}\n\nTemplate-Commit: {version.commit}\n"
    first = git("commit-tree", _tree(git, base, record, before), given=message)
    return git("commit-tree", _tree(git, version.commit, record, after), "-p", first, given=message)


def _tree(git: Git, commit: str, record: Record, text: str | None) -> str:
    """Create the tree of a commit without the parts that the fork does not have, with its record."""
    version = Version(git, commit)
    changed = without(absent_parts(version.parts(), record.answers), version)
    if text is not None:
        changed[FILE] = text
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git("read-tree", commit, variables=index)
        listed = git("ls-files", "--stage", "-z", variables=index).split("\0")[:-1]
        modes = {entry.partition("\t")[2]: entry.partition(" ")[0] for entry in listed}
        for path, content in changed.items():
            if content is None:
                git("update-index", "--force-remove", "--", path, variables=index)
            else:
                blob = git("hash-object", "-w", "--stdin", given=content)
                entry = f"{modes.get(path, '100644')},{blob},{path}"
                git("update-index", "--add", "--cacheinfo", entry, variables=index)
        return git("write-tree", variables=index)


def _in_progress(git: Git) -> bool:
    picked = git.commit("CHERRY_PICK_HEAD")
    return picked is not None and picked == git.commit(PICKED)


def _unmerged(git: Git) -> dict[str, set[str]]:
    """Return the stages of each unmerged file: 1 the base, 2 the fork, 3 the template."""
    found: dict[str, set[str]] = {}
    for entry in filter(None, git("ls-files", "--unmerged", "-z").split("\0")):
        state, path = entry.split("\t", 1)
        found.setdefault(path, set()).add(state.split()[2])
    return found


def _keep_deleted(git: Git) -> Sequence[str]:
    """Keep files deleted that the fork deleted and the template changed; return their paths."""
    deleted = sorted(path for path, stages in _unmerged(git).items() if stages == {"1", "3"})
    if deleted:
        git("rm", "--quiet", "--force", "--", *deleted)
    return deleted


def _conflicts(git: Git) -> Sequence[str]:
    return sorted(_unmerged(git))


def _remove_written(git: Git, before: str) -> None:
    """Delete the untracked files that a killed upgrade has written."""
    added = git("diff", "--name-only", "--diff-filter=A", "-z", before, PICKED).split("\0")
    untracked = set(git("ls-files", "--others", "-z").split("\0"))
    for path in filter(None, added):
        file = git.folder / path
        if path in untracked and git("hash-object", "--", str(file)) == git("rev-parse", f"{PICKED}:{path}"):
            file.unlink()


def _forget(git: Git) -> None:
    for reference in (BEFORE, PICKED):
        git("update-ref", "-d", reference)


def _short(commit: str) -> str:
    return commit[:12]
