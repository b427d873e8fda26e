"""Which pipelines exist, and what the module of a pipeline must have."""

import sys
from pathlib import Path

import pytest

from helpers.errors import UserError
from ml_pipeline import pipelines
from ml_pipeline.params import DEFAULT_PIPELINE
from ml_pipeline.pipelines import find_pipeline, pipeline_names


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules are pipelines, next to the repository's first one."""
    first = Path(pipelines.__file__).parent / f"{DEFAULT_PIPELINE}.py"
    (tmp_path / first.name).write_bytes(first.read_bytes())
    monkeypatch.setattr(pipelines, "__path__", [str(tmp_path)])
    yield tmp_path
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(f"{pipelines.__name__}.{path.stem}", None)


def test_a_module_is_a_pipeline_and_the_default_one_comes_first(folder: Path) -> None:
    for name in ("ride_joins.py", "a.py"):
        (folder / name).write_text("DESCRIPTION = 'Joins.'\ndef steps(params): return []\n")

    assert pipeline_names() == (DEFAULT_PIPELINE, "a", "ride-joins")
    found = find_pipeline("ride-joins")
    assert (found.name, found.description, list(found.steps({}))) == ("ride-joins", "Joins.", [])


def test_an_unknown_pipeline_is_rejected_with_those_that_there_are(folder: Path) -> None:
    (folder / "ride_joins.py").write_text("")

    with pytest.raises(UserError) as rejected:
        find_pipeline("rides")

    assert str(rejected.value) == (
        f"unknown pipeline 'rides'; expected one of {DEFAULT_PIPELINE}, ride-joins\n"
        "Hint: Name one of them, or add the pipeline with: make new-pipeline NAME=rides"
    )


@pytest.mark.parametrize(("content", "missing"), [("", "DESCRIPTION"), ("DESCRIPTION = 'Joins.'", "steps")])
def test_a_module_that_lacks_something_is_rejected_by_its_file(
    content: str, missing: str, folder: Path
) -> None:
    (folder / "ride_joins.py").write_text(content)

    with pytest.raises(UserError, match=rf"ml_pipeline/pipelines/ride_joins\.py has no {missing}\nHint: Add"):
        find_pipeline("ride-joins")
