"""`report` writes a page, and so does `run` at its end, whether it succeeds or not."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from helpers.errors import UserError
from ml_pipeline.commands import report, run
from ml_pipeline.execution_report import collect
from tests.ml_pipeline.execution_report.reports import SMALL

PROJECT: Any = SimpleNamespace(
    name="Rides-dev", session=SimpleNamespace(client=lambda service: service), target="rides"
)


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The executions for which reports are collected; each has the same report."""
    asked: list[str] = []

    def collect_report(project: Any, arn: str, *, with_data: bool) -> Any:
        assert project is PROJECT
        asked.append(arn if with_data else f"{arn} without data")
        return SMALL

    monkeypatch.setattr(collect, "collect", collect_report)
    monkeypatch.setattr(report, "FOLDER", tmp_path / "cache" / "reports")
    pipelines = {"rides": ["rides"], "all": ["rides", "fares"]}
    monkeypatch.setattr(
        report, "select_pipelines", lambda name: [SimpleNamespace(name=each) for each in pipelines[name]]
    )
    monkeypatch.setattr(report, "open_project", lambda env, pipeline: PROJECT)
    monkeypatch.setattr(report, "newest", lambda sagemaker, target: "arn:pipeline/Rides-dev/execution/newest")
    return asked


def printed(arguments: dict[str, Any]) -> str:
    console = Console(record=True, quiet=False, width=500)
    given = {"env": "dev", "pipeline": "rides", "execution": None, "output": None, "without_data": False}
    assert report.run(SimpleNamespace(**given | arguments), console) == 0  # type: ignore[arg-type]
    return console.export_text().strip()


def test_the_newest_execution_is_written_to_a_file_of_its_own(collected: list[str], tmp_path: Path) -> None:
    path = tmp_path / "cache" / "reports" / "Rides-dev-newest.html"

    assert printed({}) == f"Wrote {path}"
    assert collected == ["arn:pipeline/Rides-dev/execution/newest"]
    assert "clean-rides" in path.read_text(encoding="utf-8")


def test_another_execution_is_written_to_the_file_that_is_named(collected: list[str], tmp_path: Path) -> None:
    path = tmp_path / "page.html"

    assert printed({"execution": "arn/other", "output": path}) == f"Wrote {path}"
    assert collected == ["arn/other"]
    assert path.exists()


def test_each_pipeline_has_a_page_which_may_leave_out_values_of_the_data(collected: list[str]) -> None:
    assert printed({"pipeline": "all", "without_data": True}).count("Wrote ") == 2
    assert collected == ["arn:pipeline/Rides-dev/execution/newest without data"] * 2


@pytest.mark.parametrize("given", [{"output": Path("page.html")}, {"execution": "arn/other"}])
def test_what_is_of_one_execution_is_not_for_all_pipelines(
    collected: list[str], given: dict[str, Any]
) -> None:
    with pytest.raises(UserError, match="are for one pipeline"):
        printed({"pipeline": "all", **given})
    assert collected == []


def test_a_folder_that_is_not_there_is_an_error_that_names_it(collected: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"missing/page\.html cannot be written"):
        printed({"output": tmp_path / "missing" / "page.html"})


def shown(console: Console) -> str:
    run._show_report(PROJECT, "arn/execution/abc", console)
    return console.export_text().strip()


def test_run_shows_where_the_page_is(collected: list[str], tmp_path: Path) -> None:
    console = Console(record=True, quiet=False, width=500)

    address = (tmp_path / "cache" / "reports" / "Rides-dev-abc.html").as_uri()
    assert shown(console) == f"Execution report: {address}"


@pytest.mark.parametrize(
    "error", [UserError("no prices"), ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")]
)
def test_a_page_that_cannot_be_written_does_not_fail_the_run(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: Any) -> Path:
        raise error

    monkeypatch.setattr(report, "write_report", write)
    console = Console(record=True, quiet=False, width=500)

    assert shown(console).startswith("The execution report was not written: ")
