"""Parts that a fork leaves out and restores, in a small repository with each kind of file."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.template.git import Git
from helpers.template.marks import marked_names
from helpers.template.parts import Version, grep_marks, parts_of
from helpers.template.record import read_record
from ml_pipeline.scaffolding.answers import Answers, current_answers
from ml_pipeline.scaffolding.fork import fork_changes, record_answers

BEGIN, END, PART = "begin: fishing", "end: fishing", "part: fishing"
BEGIN_NIGHTS, END_NIGHTS = "begin: nights", "end: nights"
PARTS = """
[Studio]
answer = "Studio"
stacks = ["studio"]

[previews]
answer = "Previews"
files = ["ml_pipeline/params/preview.json"]

[fishing]
answer = "ModelLifeCycle"
files = ["boats", "docs/boats.md"]
stacks = ["models"]

[nights]
answer = "Schedules"
"""
MAKEFILE = f"""# The commands.
run:
	echo run
# {BEGIN}
fish:
	echo fish
# {END}
clean:
	echo clean
"""
PAGE = f"""# Harbor

Ships of all kinds. See [boats](boats.md), and [the catch](#the-catch).
Boats go out at dawn. <!-- {PART} -->

| what | where |
|---|---|
| nets | sea <!-- {PART} --> |
| cranes | quay |

<!-- {BEGIN} -->
## The catch

Fish.

<!-- {END} -->
## Cargo

Boxes.
"""
WORKFLOW = f"""on:
  # {BEGIN_NIGHTS}
  schedule:
    - cron: "43 3 * * *"
  # {END_NIGHTS}
  workflow_dispatch:
"""


def environment(*stacks: str, order: int = 10) -> str:
    listed = ", ".join(f'"{stack}"' for stack in stacks)
    return (
        f'{{\n  "PromotionOrder": {order},\n  "Stacks": [{listed}],\n'
        '  "Parameters": {\n    "VpcCidr": "10.10.0.0/16"\n  }\n}\n'
    )


@pytest.fixture
def fork(tmp_path: Path) -> Git:
    """A repository whose only commit is the template's version."""
    git = Git(tmp_path)
    git("init", "--quiet", "--initial-branch=main")
    for name, value in (("user.name", "Someone"), ("user.email", "someone@example.com")):
        git("config", name, value)
    names = {"ProjectName": "fares", "Owner": "team", "Repository": "a/b", "Region": "eu-west-1"}
    files = {
        "helpers/template/parts.toml": PARTS,
        "infra/project.json": json.dumps(names, indent=2) + "\n",
        "infra/parameters/dev.json": environment("keys", "models", "github"),
        "ml_pipeline/params/dev.json": "{}\n",
        "ml_pipeline/params/preview.json": "{}\n",
        "spark_jobs/process_pyspark.py": "",
        "boats/engine.py": "SPEED = 3\n",
        "docs/boats.md": "# Boats\n",
        "docs/harbor.md": PAGE,
        "README.md": "# Ships\n\n[Catch](docs/harbor.md#the-catch), [cargo](docs/harbor.md#cargo)\n",
        "Makefile": MAKEFILE,
        "ships.py": f"SHIPS = [\n    1,\n    2,  # {PART}\n]\n",
        ".github/workflows/drift.yml": WORKFLOW,
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    git("add", "--all")
    git("commit", "--quiet", "--message", "Template")
    return git


def change(fork: Git, **answers: bool | tuple[str, ...]) -> Answers:
    wanted = replace(current_answers(fork.folder), **answers)  # type: ignore[arg-type]
    record = record_answers(fork.folder, read_record(fork.folder), wanted)
    list(fork_changes(fork.folder, wanted, record).apply())
    return current_answers(fork.folder)


def read(fork: Git, path: str) -> str:
    return (fork.folder / path).read_text()


def test_nothing_is_left_of_a_part(fork: Git) -> None:
    assert not change(fork, ModelLifeCycle=False).ModelLifeCycle

    assert not (fork.folder / "boats/engine.py").exists()
    assert not (fork.folder / "docs/boats.md").exists()
    assert read(fork, "Makefile") == "# The commands.\nrun:\n\techo run\nclean:\n\techo clean\n"
    assert read(fork, "ships.py") == "SHIPS = [\n    1,\n]\n"
    assert read(fork, "docs/harbor.md") == (
        "# Harbor\n\nShips of all kinds. See boats, and the catch.\n\n"
        "| what | where |\n|---|---|\n| cranes | quay |\n\n## Cargo\n\nBoxes.\n"
    )
    assert read(fork, "README.md") == "# Ships\n\nCatch, [cargo](docs/harbor.md#cargo)\n"
    assert read(fork, "infra/parameters/dev.json") == environment("keys", "github")


def test_other_parts_stay(fork: Git) -> None:
    now = change(fork, ModelLifeCycle=False)

    assert (now.Previews, now.Schedules) == (True, True)
    assert read(fork, ".github/workflows/drift.yml") == WORKFLOW


def test_a_part_without_files_of_its_own_is_found_by_its_marks(fork: Git) -> None:
    assert not change(fork, Schedules=False).Schedules
    assert read(fork, ".github/workflows/drift.yml") == "on:\n  workflow_dispatch:\n"
    assert change(fork, Schedules=True).Schedules
    assert read(fork, ".github/workflows/drift.yml") == WORKFLOW


def test_a_restored_part_is_as_the_template_has_it_and_the_fork_s_changes_stay(fork: Git) -> None:
    change(fork, ModelLifeCycle=False, Previews=False)
    cargo = read(fork, "docs/harbor.md").replace("Boxes.", "Boxes and barrels.")
    (fork.folder / "docs/harbor.md").write_text(cargo)

    now = change(fork, ModelLifeCycle=True)

    assert (now.ModelLifeCycle, now.Previews) == (True, False)
    assert read(fork, "docs/harbor.md") == PAGE.replace("Boxes.", "Boxes and barrels.")
    changed = fork("status", "--porcelain").splitlines()
    assert [line.split()[-1] for line in changed] == [
        "docs/harbor.md",
        "ml_pipeline/params/preview.json",
        ".template.json",
    ]


def test_an_environment_of_the_fork_s_own_has_the_restored_stack_too(fork: Git) -> None:
    change(fork, ModelLifeCycle=False, Environments=("dev", "qa"))
    assert json.loads(read(fork, "infra/parameters/qa.json"))["Stacks"] == ["keys", "github"]

    change(fork, ModelLifeCycle=True)

    assert json.loads(read(fork, "infra/parameters/qa.json"))["Stacks"] == ["keys", "models", "github"]


def test_lines_that_the_fork_changed_are_not_overwritten(fork: Git) -> None:
    change(fork, ModelLifeCycle=False)
    (fork.folder / "ships.py").write_text("SHIPS = [7]\n")
    before = fork("status", "--porcelain")

    with pytest.raises(UserError, match=r"changed lines next to restored ones in:\n  - ships\.py\nHint: "):
        change(fork, ModelLifeCycle=True)

    assert fork("status", "--porcelain") == before


@pytest.mark.parametrize(
    ("text", "problem"),
    [(f"# {BEGIN}\n1\n", "does not end"), (f"1\n# {END}\n", "line 2: .* ends without having begun")],
)
def test_a_block_has_both_ends(fork: Git, text: str, problem: str) -> None:
    (fork.folder / "Makefile").write_text(text)

    with pytest.raises(UserError, match=f"Makefile.*{problem}"):
        change(fork, ModelLifeCycle=False)


def test_what_belongs_to_a_part_is_there_and_every_mark_names_one(repository: Path) -> None:
    """A part that was renamed would remain in a fork without it."""
    answers = current_answers(repository)
    present = [part for part in parts_of(repository) if getattr(answers, part.answer) is True]
    shared = {path for part in parts_of(repository) if part not in present for path in part.files}
    git = Git(repository)
    names = {part.name for part in parts_of(repository)}

    missing = [path for part in present for path in part.files if not (repository / path).exists()]
    assert {*missing} <= shared
    for path in grep_marks(git):
        assert marked_names((repository / path).read_text(encoding="utf-8")) <= names, path


def test_a_version_before_parts_has_none(fork: Git) -> None:
    fork("rm", "--quiet", "helpers/template/parts.toml")
    fork("commit", "--quiet", "--message", "Earlier")

    assert Version(fork, "HEAD").parts() == ()
