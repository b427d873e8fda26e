"""The page of a report: its content, its completeness, and that no text of the data becomes markup."""

import base64
import doctest
import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cached_property
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from ml_pipeline.execution_report.model import ExecutionReport, Histogram, Phase, Step
from ml_pipeline.execution_report.page import charts, render, text
from ml_pipeline.execution_report.page.graph import COLUMNS, graph, levels
from tests.ml_pipeline.execution_report.reports import CLEAN, NOON, SMALL, large, span

HOSTILE = "</td></script><script>alert(1)</script>\"' onload=alert(1) x='{{ 7*7 }}&lt;"
EMPTY = {"br", "hr", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """A parsed page: its elements, its text, and elements that are not closed correctly."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.misplaced: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.misplaced += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self._open[-1:] != [tag]:
            self.misplaced.append(f"/{tag}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.words.append(data)

    @cached_property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render(SMALL))


@pytest.mark.parametrize(
    "shown",
    [
        "8 min 00 s",
        "0.11 USD prices of 2026-11-01",
        "waiting to retry 10 s, starting instances 1 min 23 s, running 2 min 28 s 6 min 02 s 2 0.11 USD",
        "16,951",
        "fare is not a number: “free” 18 77121,Kreuzberg,Mitte,4.1,free,card",
        "s3://rides-dev-data/rides/2026-11-26.csv 2 rows",
        "days in the data: expected 30, found 29",
        "Most frequent values of payment Value Bar this run previous card 71.2 % 68.8 %",
        "this run 1.2 % previous < 0.1 %",
        "distance_km double",
        "2 of 3 requested executors granted",
        "lost: Container killed by YARN",
        "skew in stage 1 (count at clean.py:61) up to 11 s",
        "spark.sql.shuffle.partitions = 400 currently 200",
        "before the first task 11 s",
        "AnalysisException: [UNRESOLVED_COLUMN]",
        "There is no Spark event log below s3://rides-dev-data/spark_ui_logs",
        "summarize Not started",
        "The step did not start: it has no job, log, report or event log.",
        "clean-rides rows rejected 3 26",
        "execution commit 0a7b1c2d3e4f 4f0c2a9d1b7e",
        "4f0c2a9d1b7e48c6a5d3f2e1908b7c6d5e4f3a21",
        "holidays==0.61",
        "make spark-ui ENV=dev STEP=clean-rides",
        "2026-11-28 11:56:00 UTC by arn:aws:sts::123456789012:assumed-role/rides-dev-ci-deploy/run-1842",
    ],
)
def test_the_page_shows(shown: str, page: Page) -> None:
    assert shown in page.text


def test_what_is_missing_is_stated() -> None:
    bare = replace(
        SMALL, steps=(), provenance=None, previous=None, cost=None, missing=("The provenance is not known.",)
    )

    text = Page(render(bare)).text

    assert "Not in this report The provenance is not known." in text
    assert "There is no previous run to compare with." in text
    assert "The execution has no steps." in text
    assert "Estimated cost not known" in text
    assert "Rows read not reported" in text


def test_what_a_step_without_a_report_came_to_is_shown() -> None:
    results = ("Artifacts", "s3://b/models/1/output/model.tar.gz"), ("Metrics", "validation:rmse 2.18")
    trained = Step("train", "Succeeded", results=results)

    page = Page(render(replace(SMALL, steps=(trained,))))

    assert all(f"{name} {value}" in page.text for name, value in results)
    assert page.misplaced == []


def test_without_an_event_log_the_phases_of_the_job_are_still_shown() -> None:
    text = Page(render(replace(SMALL, steps=(replace(CLEAN, spark=None),)))).text

    assert "Phases of the job Activity Bar Time start Spark 11 s" in text
    assert "Wall-clock" not in text


def test_an_execution_that_still_runs_is_shown_so_far() -> None:
    step = replace(CLEAN, status="Executing", spans=(span(Phase.RUNNING, 10, None),))

    text = render(replace(SMALL, status="Executing", ended=None, steps=(step,)))

    assert "8 min 30 s so far" in Page(text).text
    assert "clean-rides: running 8 min 20 s" in text


@pytest.mark.parametrize("report", [SMALL, large(30)], ids=["small", "large"])
def test_a_page_is_whole(report: ExecutionReport) -> None:
    page = Page(render(report))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    links = [str(each["href"]) for each in page.of("a")]
    targets = {link.removeprefix("#") for link in links if link.startswith("#")}
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]

    assert page.misplaced == []
    assert len(ids) == len(set(ids))
    assert targets <= set(ids)
    assert headings[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(headings))
    assert page.of("html") == [{"lang": "en"}]
    assert len(page.of("h1")) == 1


def test_a_page_loads_nothing_and_runs_nothing(page: Page) -> None:
    (policy,) = [each["content"] for each in page.of("meta") if each.get("http-equiv")]
    (style,) = re.findall(r"<style>(.*?)</style>", render(SMALL), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    forbidden = {"script", "link", "img", "iframe", "object", "image", "use"}
    assert {tag for tag, _ in page.elements} & forbidden == set()
    names = {name for _, each in page.elements for name in each}
    assert {name for name in names if name in {"src", "style"} or name.startswith("on")} == set()
    assert "url(" not in style
    assert "@import" not in style


def hostile(value: Any) -> Any:
    """Return a report with the same structure in which every text is an injection attempt."""
    match value:
        case str():
            return HOSTILE
        case Mapping():
            return {hostile(key): hostile(each) for key, each in value.items()}
        case tuple():
            return tuple(hostile(each) for each in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{each.name: hostile(getattr(value, each.name)) for each in fields(value)})
        case _:
            return value


def test_no_text_becomes_markup() -> None:
    known = Page(render(replace(SMALL, steps=tuple(replace(each, after=()) for each in SMALL.steps))))
    attacked = Page(render(hostile(SMALL)))

    assert attacked.misplaced == []
    assert {tag for tag, _ in attacked.elements} <= {tag for tag, _ in known.elements}
    names = {name for _, each in known.elements for name in each}
    assert {name for _, each in attacked.elements for name in each} <= names
    assert "x='49" not in attacked.text
    assert HOSTILE in "".join(attacked.words)


def test_time_grows_with_the_steps_and_not_faster() -> None:
    """The limit is twice the linear time; 200 steps take less than a second on two cores."""

    def cpu_seconds(report: ExecutionReport) -> float:
        before = time.process_time()
        render(report)
        return time.process_time() - before

    few, many = large(20), large(200)
    render(few)  # imports and compiles the template

    assert cpu_seconds(many) < 2 * 10 * min(cpu_seconds(few) for _ in range(3))


def test_a_large_page_shows_every_step_and_unfolds_only_what_failed() -> None:
    many = large(200)
    failed = replace(many, steps=(*many.steps[:-1], replace(many.steps[-1], status="Failed")))

    page = Page(render(failed))
    steps = [each for each in page.of("details") if each.get("class") == "step"]

    assert len(steps) == 200
    assert [number for number, each in enumerate(steps) if "open" in each] == [199]
    assert all(f"step-{number:03}" in page.text for number in range(200))


def test_numbers_are_shown_as_in_the_examples() -> None:
    results = doctest.testmod(text)

    assert (results.failed, results.attempted) == (0, 4)


def steps(**after: str) -> list[Step]:
    return [Step(name, "Succeeded", after=tuple(others.split())) for name, others in after.items()]


def test_a_step_is_below_all_that_it_depends_on() -> None:
    found = levels(steps(clean="", rates="", join="clean rates", sum="join", plot="clean sum"))

    assert [[step.name for step in level] for level in found] == [
        ["clean", "rates"],
        ["join"],
        ["sum"],
        ["plot"],
    ]


def test_a_circle_and_a_step_that_is_not_there_do_not_hang_the_graph() -> None:
    found = levels(steps(one="two", two="one", three="gone"))

    assert sorted(step.name for level in found for step in level) == ["one", "three", "two"]


def test_no_row_of_the_graph_is_wider_than_a_page() -> None:
    drawn = graph(steps(**{f"s{number}": "" for number in range(11)}))

    tops = re.findall(r'<rect x="[\d.]+" y="([\d.]+)"', drawn)

    assert max(tops.count(top) for top in tops) == COLUMNS
    assert len(tops) == 11


def test_every_phase_has_a_height_or_a_mark_of_its_own() -> None:
    """They can be distinguished without color: a failed attempt is struck through."""
    bars = {}
    for phase in Phase:
        drawn = charts.spans_bar([span(phase, 0, 5)], NOON, 10, NOON, "title")
        bars[phase] = drawn.replace(charts.phase_class(phase), "")
    bars.pop(Phase.RETRYING)  # a thin line between attempts, if a step waits for no other

    assert len(set(bars.values())) == len(bars)


@pytest.mark.parametrize("counts", [(0, 0), (5,), (1, 0, 3)])
@pytest.mark.parametrize("previous", [None, (0,), (2, 2, 2)])
def test_a_histogram_of_any_counts_is_drawn(
    counts: tuple[int, ...], previous: tuple[int, ...] | None
) -> None:
    drawn = charts.histogram(Histogram("0", "1", counts, previous), "title")

    assert "nan" not in drawn
    assert drawn.count('class="bin"') == (len(counts) if sum(counts) else 0)


def test_bins_are_shares_of_their_own_run() -> None:
    """A run with twice the rows and the same distribution has the same chart."""
    alone, doubled = (
        charts.histogram(Histogram("0", "1", counts, (1, 3)), "title") for counts in ((1, 3), (2, 6))
    )

    assert alone == doubled
