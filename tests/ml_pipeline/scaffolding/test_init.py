"""The changes of `make init`, in a copy of the files that it reads."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from helpers.errors import UserError
from helpers.template.git import Git
from helpers.template.record import FILE, Record, read_record
from ml_pipeline.commands import init
from ml_pipeline.scaffolding.answers import QUESTIONS, Answers, answers_of, current_answers
from ml_pipeline.scaffolding.fork import fork_changes, record_answers

READ = (
    "infra/project.json",
    "infra/parameters",
    "ml_pipeline/params",
    "ml_pipeline/pipelines",
    ".github",
    "helpers/template/parts.toml",
    "spark_jobs/process_pyspark.py",
)


@pytest.fixture
def root(tmp_path: Path, repository: Path) -> Path:
    for path in READ:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (repository / path).is_dir():
            shutil.copytree(repository / path, target, ignore=shutil.ignore_patterns("*.pyc"))
        elif (repository / path).exists():
            shutil.copy2(repository / path, target)
    Git(tmp_path)("init", "--quiet")
    return tmp_path


def apply(root: Path, **given: Any) -> list[str]:
    now = current_answers(root)
    wanted = answers_of(given, now, "answers")
    return list(fork_changes(root, wanted, record_answers(root, read_record(root), wanted)).apply())


def document(root: Path, path: str) -> Any:
    return json.loads((root / path).read_text())


def test_without_any_change_the_answers_are_recorded_and_nothing_else(root: Path) -> None:
    assert apply(root) == [f"Created {FILE}"]
    assert read_record(root).answers["Environments"] == list(current_answers(root).Environments)
    assert apply(root) == []


def test_environments_are_added_removed_and_reordered(root: Path) -> None:
    first, *others = current_answers(root).Environments

    apply(root, Environments=["new", first, "last"])

    assert current_answers(root).Environments == ("new", first, "last")
    for name in others:
        assert not (root / f"infra/parameters/{name}.json").exists()
        assert not (root / f"ml_pipeline/params/{name}.json").exists()
    files = [
        document(root, path.relative_to(root).as_posix()) for path in (root / "infra/parameters").glob("*")
    ]
    ranges = [file["Parameters"]["VpcCidr"] for file in files]
    assert len(set(ranges)) == len(ranges), "their VPCs may be peered"
    assert document(root, "ml_pipeline/params/new.json") == {}


def test_a_new_environment_runs_the_pipelines_of_the_one_before_it(root: Path) -> None:
    """Otherwise an environment after one that trains no models would train some."""
    first = current_answers(root).Environments[0]
    path = root / "ml_pipeline/params/pipelines/fares.json"
    path.parent.mkdir(exist_ok=True)
    before = f'{{\n  "steps": {{"clean": {{}}}},\n  "environments": {{\n    "{first}": {{"enabled": false}}'
    path.write_text(f"{before}\n  }}\n}}\n")

    apply(root, Environments=[first, "new"])

    assert json.loads(path.read_text())["environments"] == {
        first: {"enabled": False},
        "new": {"enabled": False},
    }
    assert path.read_text().startswith(before), "the diff is small"


def test_text_that_does_not_change_keeps_its_form(root: Path) -> None:
    """Lists stay on one line, so that the diff between fork and template is small."""
    path = root / "infra/parameters/dev.json"
    if not path.exists():
        pytest.skip("an environment of the template")
    before = path.read_text().splitlines()

    apply(root, Environments=["zero", *current_answers(root).Environments])

    assert len([line for line in path.read_text().splitlines() if line not in before]) == 1


def test_a_failure_changes_nothing(root: Path) -> None:
    if current_answers(root).Step:
        pytest.skip("a fork without the sample job")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    (root / "spark_jobs" / "fares.py").write_text("# mine\n")

    with pytest.raises(UserError, match=r"spark_jobs/fares\.py already exists"):
        apply(root, Step="fares")

    assert {path: path.read_bytes() for path in before} == before


def test_what_cannot_be_restored_is_an_error(root: Path) -> None:
    """If git does not have the version of the template."""
    apply(root, Previews=False)

    with pytest.raises(UserError, match=r"cannot be restored.*\nHint: .*git fetch"):
        apply(root, Previews=True)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"ProjectName": "Fares!"}, "ProjectName: 'Fares!' does not match"),
        ({"Region": "eu-west"}, "Region: 'eu-west' does not match"),
        ({"Region": "cn-north-1"}, "Region: "),
        ({"Environments": []}, "Environments: no environment is named; name at least one"),
        ({"Environments": ["dev", "dev"]}, "Environments: an environment is named twice; name each"),
        ({"Environments": "dev,local"}, "Environments: 'local' cannot be the name of an environment"),
        ({"Studio": "perhaps"}, "Studio: 'perhaps' is not an answer; write yes or no"),
        ({"Previews": 1}, "Previews: 1"),
        ({"Step": "Clean Fares"}, "Step: "),
        ({"Colour": "red"}, "Colour: unknown; expected ProjectName, "),
    ],
)
def test_an_answer_that_cannot_be_used_is_named(root: Path, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError) as raised:
        answers_of(given, current_answers(root), "answers.json")

    assert str(raised.value).startswith(f"answers.json cannot be used:\n  - {problem}")


class Asked:
    """A user who gives some answers, and then accepts the defaults."""

    def __init__(self, *texts: str):
        self._texts = iter(texts)
        self.questions: list[str] = []

    def __call__(self, text: str, *, console: Console, default: str) -> str:
        self.questions.append(text)
        return next(self._texts, default)


@pytest.fixture
def quiet() -> Iterator[Console]:
    with Path("/dev/null").open("w") as nowhere:
        yield Console(file=nowhere)


def test_each_answer_is_validated_at_once(
    root: Path, monkeypatch: pytest.MonkeyPatch, quiet: Console
) -> None:
    person = Asked("Not a name", "fares")
    monkeypatch.setattr(init.Prompt, "ask", person)
    now = current_answers(root)

    answers = init._ask(quiet, now)

    assert answers == Answers(**{**vars(now), "ProjectName": "fares"})
    assert person.questions[0] == person.questions[1]
    assert len(person.questions) == len(QUESTIONS) + 1


def test_the_record_names_the_template_s_version_once(repository: Path) -> None:
    answers = current_answers(repository)
    first = record_answers(repository, Record(), answers)

    assert len(first.tree) == 40
    assert record_answers(repository, first, answers) == first
