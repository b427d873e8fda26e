"""Upgrades of a small fork, which has no history in common with its template."""

from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.template.git import Git
from helpers.template.record import FILE, Record, TemplateVersion, read_record
from helpers.template.upgrade import BEFORE, PICKED, abort, resume, upgrade

LINES = [f"line {number}" for number in range(1, 10)]


def init(folder: Path) -> Git:
    folder.mkdir()
    git = Git(folder)
    git("init", "--quiet", "--initial-branch=main")
    for name, value in (("user.name", "Someone"), ("user.email", "someone@example.com")):
        git("config", name, value)
    return git


def commit(git: Git, files: dict[str, str | None], message: str = "Change") -> str:
    """Commit files with these contents; None deletes a file."""
    for path, text in files.items():
        file = git.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True) if text is None else file.write_text(text)
    git("add", "--all")
    git("commit", "--quiet", "--message", message)
    return git("rev-parse", "HEAD")


def text(lines: dict[int, str] | None = None) -> str:
    return "".join(f"{(lines or {}).get(number, line)}\n" for number, line in enumerate(LINES, 1))


@pytest.fixture
def template(tmp_path: Path) -> Git:
    """Two versions: the second changes two files, adds one, and renames one."""
    git = init(tmp_path / "template")
    commit(git, {"a.py": text(), "b.py": "one\ntwo\n", "optional.py": text(), "docs/old.md": text()})
    git("tag", "v1")
    git("mv", "docs/old.md", "docs/new.md")
    later = text({9: "changed by the template"})
    commit(git, {"a.py": later, "optional.py": later, "docs/new.md": later, "added.py": "added\n"})
    git("tag", "v2")
    return git


@pytest.fixture
def fork(tmp_path: Path, template: Git) -> Git:
    """A fork of the first version, changed in the first line of a file."""
    git = init(tmp_path / "fork")
    files = template("ls-tree", "-r", "--name-only", "v1").splitlines()
    commit(git, {path: template("show", f"v1:{path}") + "\n" for path in files}, "Initial commit")
    commit(git, {"a.py": text({1: "changed by the fork"}), "docs/old.md": text({1: "changed by the fork"})})
    return git


def test_changes_of_both_are_kept_and_the_version_is_recorded(fork: Git, template: Git) -> None:
    done = upgrade(fork, "v2", template=str(template.folder))

    assert (done.conflicts, done.stay_deleted) == ((), [])
    both = text({1: "changed by the fork", 9: "changed by the template"})
    assert (fork.folder / "a.py").read_text() == both
    assert (fork.folder / "docs/new.md").read_text() == both
    assert (fork.folder / "added.py").read_text() == "added\n"
    version = TemplateVersion(str(template.folder), "v2", template("rev-parse", "v2"))
    assert read_record(fork.folder) == Record(version)
    assert fork("status", "--porcelain") == ""
    assert fork("log", "-1", "--format=%s").startswith("Upgrade the template from ")
    assert fork.commit(BEFORE) is None


def test_a_second_upgrade_begins_where_the_first_ended(fork: Git, template: Git) -> None:
    upgrade(fork, "v2", template=str(template.folder))
    commit(template, {"a.py": text({5: "changed again", 9: "changed by the template"})})

    upgrade(fork, "main")

    assert (fork.folder / "a.py").read_text() == text(
        {1: "changed by the fork", 5: "changed again", 9: "changed by the template"}
    )
    with pytest.raises(UserError, match="already has main of the template"):
        upgrade(fork, "main")
    with pytest.raises(UserError, match="v1 is not later than the version that the fork has"):
        upgrade(fork, "v1")


def test_what_the_fork_has_deleted_stays_so(fork: Git, template: Git) -> None:
    commit(fork, {"optional.py": None})

    done = upgrade(fork, "v2", template=str(template.folder))

    assert (done.conflicts, done.stay_deleted) == ((), ["optional.py"])
    assert not (fork.folder / "optional.py").exists()
    assert read_record(fork.folder).template is not None


def test_conflicts_are_shown_and_resolved(fork: Git, template: Git) -> None:
    commit(fork, {"a.py": text({9: "changed by the fork"})})

    done = upgrade(fork, "v2", template=str(template.folder))

    assert done.conflicts == ["a.py"]
    shown = (fork.folder / "a.py").read_text()
    assert "<<<<<<<" in shown
    assert "changed by the fork\n=======\nchanged by the template" in shown
    with pytest.raises(UserError, match="An upgrade is in progress"):
        upgrade(fork, "v2")
    fork("add", "a.py")
    with pytest.raises(UserError, match=r"Conflicts are left.*\n  - a\.py"):
        resume(fork)
    (fork.folder / "a.py").write_text(text({9: "changed by both"}))
    fork("add", "a.py")
    resume(fork)
    assert fork("status", "--porcelain") == ""
    assert fork("show", "HEAD:a.py") + "\n" == text({9: "changed by both"})
    assert fork.commit(BEFORE) is None


def test_a_file_that_the_template_deleted_and_the_fork_changed_is_a_conflict(
    fork: Git, template: Git
) -> None:
    commit(fork, {"b.py": "one\n2\n"})
    commit(template, {"b.py": None})

    done = upgrade(fork, "main", template=str(template.folder))

    assert done.conflicts == ["b.py"]
    assert (fork.folder / "b.py").read_text() == "one\n2\n"


def test_an_upgrade_is_undone(fork: Git, template: Git) -> None:
    before = commit(fork, {"a.py": text({9: "changed by the fork"})})
    (fork.folder / "notes.txt").write_text("not committed\n")
    upgrade(fork, "v2", template=str(template.folder))

    abort(fork)

    assert fork("rev-parse", "HEAD") == before
    assert fork("status", "--porcelain") == "?? notes.txt"
    with pytest.raises(UserError, match="No upgrade is in progress"):
        abort(fork)


def test_an_upgrade_that_was_killed_is_undone(fork: Git, template: Git) -> None:
    """The process is killed while git writes files: some exist, but are not in git's index yet."""
    before = fork("rev-parse", "HEAD")
    fork("fetch", "--quiet", str(template.folder), "v2")
    fork("update-ref", BEFORE, "HEAD")
    fork("update-ref", PICKED, "FETCH_HEAD")
    (fork.folder / "added.py").write_text("added\n")
    (fork.folder / "b.py").unlink()

    abort(fork)

    assert fork("rev-parse", "HEAD") == before
    assert fork("status", "--porcelain") == ""
    assert not (fork.folder / "added.py").exists()


def test_a_fork_with_the_template_s_history_needs_no_record(tmp_path: Path, template: Git) -> None:
    fork = init(tmp_path / "clone")
    fork("pull", "--quiet", str(template.folder), "tag", "v1")
    commit(fork, {"a.py": text({1: "changed by the fork"})})

    upgrade(fork, "v2", template=str(template.folder))

    assert (fork.folder / "a.py").read_text() == text(
        {1: "changed by the fork", 9: "changed by the template"}
    )


@pytest.mark.parametrize(
    ("to", "words", "message"),
    [
        (
            "v3",
            {},
            "branch or commit 'v3'\nHint: Name another: make upgrade TO=<version>. Its newest tags: v",
        ),
        ("v2", {"start": "v0"}, "The template has no tag, branch or commit 'v0'"),
        (
            "v2",
            {"template": "/nowhere"},
            "git fetch: fatal: '/nowhere' does not appear to be a git repository",
        ),
        (
            "v2",
            {"template": ""},
            ".template.json records no template yet\nHint: Name it: make upgrade TO=v2 TEMPLATE=",
        ),
    ],
)
def test_what_is_unknown_is_named(
    fork: Git, template: Git, to: str, words: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError) as raised:
        upgrade(fork, to, **{"template": str(template.folder), **words})

    assert message in str(raised.value)
    assert fork("status", "--porcelain") == ""
    assert fork.commit(BEFORE) is None


def test_a_fork_that_was_squashed_names_its_version(fork: Git, template: Git) -> None:
    fork("checkout", "--quiet", "--orphan", "squashed")
    fork("commit", "--quiet", "--message", "All at once")

    with pytest.raises(UserError, match="Name the version that the fork was made from"):
        upgrade(fork, "v2", template=str(template.folder))
    upgrade(fork, "v2", start="v1", template=str(template.folder))

    assert "changed by the template" in (fork.folder / "a.py").read_text()


def test_changes_must_be_committed_first(fork: Git, template: Git) -> None:
    (fork.folder / "a.py").write_text("not committed\n")

    with pytest.raises(
        UserError, match=r"changes that are not committed:\n  - a\.py\nHint: Commit or stash them"
    ):
        upgrade(fork, "v2", template=str(template.folder))

    assert (fork.folder / "a.py").read_text() == "not committed\n"


def test_a_malformed_record_names_every_problem(fork: Git) -> None:
    (fork.folder / FILE).write_text('{"Template": {"Version": 1}, "Tag": "v1", "Answers": []}')

    with pytest.raises(UserError) as raised:
        read_record(fork.folder)

    assert [line.split()[1] for line in raised.value.message.splitlines()[1:]] == [
        "unknown",
        "Answers",
        "Template",
    ]


def test_answers_stay_and_the_recorded_tree_is_found(fork: Git, template: Git) -> None:
    """After `make init`, in a repository whose first commit is not the template's."""
    fork("checkout", "--quiet", "--orphan", "squashed")
    commit(fork, {FILE: Record(tree=template("rev-parse", "v1^{tree}"), answers={"Owner": "us"}).as_text()})

    upgrade(fork, "v2", template=str(template.folder))

    assert read_record(fork.folder).answers == {"Owner": "us"}
    assert "changed by the template" in (fork.folder / "a.py").read_text()


def test_an_interrupted_upgrade_reports_how_it_is_undone(
    fork: Git, template: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("helpers.template.upgrade._merge", ctrl_c)

    with pytest.raises(KeyboardInterrupt) as interruption:
        upgrade(fork, "v2", template=str(template.folder))

    assert interruption.value.__notes__ == [
        "The upgrade is not complete. Undo it with: make upgrade ARGS=--abort"
    ]
    abort(fork)
    assert fork("status", "--porcelain") == ""


def test_changes_of_a_part_that_the_fork_left_out_are_no_conflicts(tmp_path: Path) -> None:
    """In its lines of a shared file, in its files, or in new ones."""
    mark = "part: fishing"
    parts = '[fishing]\nanswer = "Fishing"\nfiles = ["fish"]\n'
    files = {
        "helpers/template/parts.toml": parts,
        "ships.py": f"A = 1\nB = 2  # {mark}\nC = 3\n",
        "fish/a": "a\n",
    }
    template = init(tmp_path / "template")
    first = commit(template, {**files})
    later = {
        "ships.py": f"A = 1\nB = 20  # {mark}\nD = 4  # {mark}\nC = 30\n",
        "fish/a": "b\n",
        "fish/b": "b\n",
    }
    commit(template, {**later})
    template("tag", "v2")
    fork = init(tmp_path / "fork")
    commit(fork, {**files}, "Initial commit")
    record = Record(tree=template("rev-parse", f"{first}^{{tree}}"), answers={"Fishing": False})
    commit(fork, {"ships.py": "A = 1\nC = 3\n", "fish/a": None, FILE: record.as_text()}, "Leave out fishing")

    done = upgrade(fork, "v2", template=str(template.folder))

    assert (done.conflicts, done.stay_deleted) == ((), [])
    assert (fork.folder / "ships.py").read_text() == "A = 1\nC = 30\n"
    assert [path.name for path in (fork.folder / "fish").iterdir()] == []
    assert read_record(fork.folder).answers == {"Fishing": False}
