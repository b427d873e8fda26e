"""The report of an execution in a real browser: appearance and accessibility."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from ml_pipeline.execution_report.page import render
from tests.browser.chromium import HERE, chromium
from tests.ml_pipeline.execution_report.reports import SMALL, large

pytestmark = pytest.mark.timeout(300)  # starts a browser, and checks a page with 200 steps

AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP, PHONE = 1280, 390
SCREENSHOT: Any = {"x": 80, "y": 0, "width": 1120, "height": 1270}
"""The part of the page that the docs show, up to the differences from the previous run."""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The addresses of the pages by report name."""
    folder = tmp_path_factory.mktemp("reports")
    for name, report in {"small": SMALL, "large": large(200)}.items():
        (folder / f"{name}.html").write_text(render(report), encoding="utf-8")
    return {path.stem: path.as_uri() for path in folder.iterdir()}


@pytest.fixture
def open_page(browser: Browser, addresses: dict[str, str]) -> Iterator[Any]:
    """Open a report; browser errors and network requests fail the test."""
    complaints: list[str] = []

    def opened(name: str, width: int = DESKTOP, scheme: str = "light") -> Page:
        # The policy of the page forbids all scripts: the checks of these tests run outside of it.
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
        )
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if request.url != address else None)
        address = addresses[name]
        page.goto(address)
        return page

    yield opened
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_the_page_is_accessible(open_page: Any, scheme: str, width: int) -> None:
    page = open_page("small", width, scheme)
    for details in page.locator("details").all():
        details.evaluate("element => element.open = true")

    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found = page.evaluate(f"axe.run(document, {json.dumps(RULES)})")

    problems = [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
    assert problems == []
    assert len(found["passes"]) > 20
    assert not [each for each in found["passes"] if each["id"] == "color-contrast" and not each["nodes"]]


@pytest.mark.parametrize("name", ["small", "large"])
def test_a_phone_shows_it_without_scrolling_sideways(open_page: Any, name: str) -> None:
    page = open_page(name, PHONE)

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_dark_mode_changes_the_colors_of_the_page_and_its_charts(open_page: Any) -> None:
    def colors(scheme: str) -> list[str]:
        page = open_page("small", DESKTOP, scheme)
        style = "element => [getComputedStyle(element).backgroundColor, getComputedStyle(element).fill]"
        return [page.locator(each).first.evaluate(style) for each in ("html", "svg .bin", "svg .name")]

    light, dark = colors("light"), colors("dark")

    assert all(before != after for before, after in zip(light, dark, strict=True))


def test_every_step_of_a_large_execution_is_there(open_page: Any) -> None:
    page = open_page("large")

    assert page.locator("details.step").count() == 200
    assert page.locator("svg.graph a").count() == 200
    assert (
        page.locator("table.timeline tbody tr[class], section > div > table.timeline tbody tr").count() == 200
    )


def test_a_box_of_the_graph_leads_to_its_step(open_page: Any) -> None:
    page = open_page("large")
    graph = page.locator("svg.graph a")

    graph.nth(150).click()

    assert page.url.endswith("#step-151")
    step = page.locator("#step-151").bounding_box()
    assert step is not None
    assert 0 <= step["y"] < 900


def test_the_page_keeps_its_policy(browser: Browser, addresses: dict[str, str]) -> None:
    """Without the exception for these tests, no script runs, but the page's own style applies."""
    page = browser.new_page()
    page.goto(addresses["small"])

    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.text = "window.ran = 1";
            document.body.append(script);
        }"""
    )

    assert page.evaluate("window.ran") is None
    assert page.locator(".facts").evaluate("element => getComputedStyle(element).display") == "grid"


def test_the_picture_for_the_docs_is_small(open_page: Any, tmp_path: Path) -> None:
    """`SCREENSHOTS=docs make test-browser ARGS='-k picture'` writes docs/execution-report.png."""
    screenshot = Path(os.environ.get("SCREENSHOTS", tmp_path)) / "execution-report.png"

    open_page("small").screenshot(path=screenshot, full_page=True, clip=SCREENSHOT)

    assert 20_000 < screenshot.stat().st_size < 200_000
