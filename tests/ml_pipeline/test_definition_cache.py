"""The cache of definitions returns the same as a build, and never causes a failure."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_pipeline import definitions
from ml_pipeline.definitions import pipeline_definition, sources
from ml_pipeline.params import PipelineParams
from ml_pipeline.pipelines import Pipeline
from tests.ml_pipeline.building import BuiltElsewhere
from tests.ml_pipeline.small_project import FIRST


@pytest.fixture
def pipeline() -> Pipeline:
    return FIRST


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache, which does not exist yet."""
    folder = tmp_path / "cache" / "definitions"
    monkeypatch.setattr(definitions, "CACHE", folder)
    return folder


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pipelines that were built instead of read."""
    found: list[str] = []
    build = definitions.build_pipeline

    def counted(pipeline: Pipeline, *more: object) -> object:
        found.append(pipeline.name)
        return build(pipeline, *more)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(definitions, "build_pipeline", counted)
    return found


def test_what_was_built_once_is_read_byte_for_byte(
    cache: Path, built: list[str], pipeline: Pipeline, parameters: PipelineParams, definition_text: str
) -> None:
    first, second = (pipeline_definition(pipeline, parameters) for _ in range(2))

    assert first == second == definition_text
    assert built == [pipeline.name]
    assert [path.read_text(encoding="utf-8") for path in cache.iterdir()] == [definition_text]


def test_another_value_of_any_parameter_is_another_definition(
    cache: Path, built: list[str], pipeline: Pipeline, parameters: PipelineParams
) -> None:
    for params in (parameters, parameters.model_copy(update={"trial": "another"})):
        pipeline_definition(pipeline, params)

    assert len(built) == len(list(cache.iterdir())) == 2
    other = Pipeline("another", pipeline.module)
    assert definitions._cache_key(other, parameters) != definitions._cache_key(pipeline, parameters)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files that a definition depends on."""
    root = tmp_path / "checkout"
    for path in list(sources()):
        copy = root / path.relative_to(definitions.ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    monkeypatch.setattr(definitions, "ROOT", root)
    return root


@pytest.fixture
def key(pipeline: Pipeline, parameters: PipelineParams) -> Callable[[], str]:
    return lambda: definitions._cache_key(pipeline, parameters)


def test_a_change_of_any_source_or_requirement_is_another_definition(
    checkout: Path, key: Callable[[], str]
) -> None:
    files = [path for path in checkout.rglob("*") if path.is_file()]
    assert checkout / "requirements.txt" in files
    before = key()
    assert key() == before

    unnoticed = []
    for path in files:
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        unnoticed += [path] if key() == before else []
        path.write_bytes(content)

    assert unnoticed == []
    assert key() == before


def test_a_new_and_a_renamed_source_is_another_definition(checkout: Path, key: Callable[[], str]) -> None:
    before = key()

    new = checkout / "ml_pipeline" / "steps" / "more.py"
    new.write_text("")
    added = key()
    new.rename(new.with_name("most.py"))

    assert len({before, added, key()}) == 3


def test_every_module_that_building_imports_is_a_source(
    built_elsewhere: BuiltElsewhere, repository: Path
) -> None:
    ours = {path for path in built_elsewhere.modules if path.is_relative_to(repository)}
    ours = {path for path in ours if not path.is_relative_to(repository / ".venv")}

    assert repository / "ml_pipeline" / "steps" / "spark_builder.py" in ours
    assert sorted(str(path.relative_to(repository)) for path in ours - set(sources())) == []


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "\ud800"])
def test_a_corrupt_file_is_built_again(
    content: str, cache: Path, pipeline: Pipeline, parameters: PipelineParams, definition_text: str
) -> None:
    path = cache / f"{definitions._cache_key(pipeline, parameters)}.json"
    cache.mkdir(parents=True)
    path.write_bytes(content.encode("utf-8", "surrogatepass"))

    assert pipeline_definition(pipeline, parameters) == definition_text
    assert path.read_text(encoding="utf-8") == definition_text


def test_a_checkout_that_cannot_be_written_to_is_built_from(
    tmp_path: Path,
    pipeline: Pipeline,
    parameters: PipelineParams,
    definition_text: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(definitions, "CACHE", tmp_path / "file" / "definitions")

    assert pipeline_definition(pipeline, parameters) == definition_text


def test_only_the_newest_definitions_are_kept(
    cache: Path, pipeline: Pipeline, parameters: PipelineParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definitions, "_KEPT", 2)
    cache.mkdir(parents=True)
    for age, name in enumerate(("newer.json", "older.json", "notes.txt")):
        (cache / name).write_text("{}")
        os.utime(cache / name, (1000 - age, 1000 - age))

    pipeline_definition(pipeline, parameters)

    kept = {path.name for path in cache.iterdir()}
    assert {"newer.json", "notes.txt"} < kept
    assert len(kept) == 3
