"""The Spark UI in a real browser: what `make spark-ui` leads to shows the application and its stages.

Not part of `make test`: run it with `make test-browser`, which brings Chromium as an npm package on Linux
with x86-64. Elsewhere name a Chrome or Chromium with CHROMIUM.
"""

import os
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import pytest
from playwright.sync_api import Page, sync_playwright

from helpers.spark import history_server
from helpers.spark.event_log import reading

pytestmark = pytest.mark.timeout(300)  # a Spark job, the history server and a browser start

HERE = Path(__file__).parent
FOLDER = HERE / "node_modules" / ".chromium"
JOB = HERE.parent / "helpers" / "spark" / "event_log" / "troubled_job.py"


@dataclass(frozen=True)
class Browser:
    program: Path
    environment: dict[str, str]


def the_browser() -> Browser:
    """The Chromium that is named, that of the npm package, or one that is installed, in this order."""
    packaged = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    named = os.environ.get("CHROMIUM", "")
    if not named and packaged and (HERE / "node_modules" / "@sparticuz").is_dir():
        if not (FOLDER / "browser").exists():
            unpacking = ["node", str(HERE / "unpack.mjs")]
            subprocess.run(unpacking, check=True, env={**os.environ, "TMPDIR": str(FOLDER)})
        own = {
            "FONTCONFIG_FILE": str(FOLDER / "fonts.conf"),
            "HOME": str(FOLDER),
            "LD_LIBRARY_PATH": str(FOLDER / "al2023" / "lib"),
        }
        return Browser(FOLDER / "browser", own)
    installed = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    program = named or next(filter(None, installed), None)
    if program is None:
        pytest.fail("There is no browser: set CHROMIUM to the path of a Chrome or Chromium.")
    return Browser(Path(program), {})


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real log."""
    folder = tmp_path_factory.mktemp("run")
    done = subprocess.run([sys.executable, JOB, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "logs"


@pytest.fixture(scope="module")
def address(logs: Path) -> Iterator[str]:
    """Where the history server shows the jobs of that run."""
    (log,) = reading.find(logs)
    addresses: Queue[str] = Queue()
    stop = threading.Event()
    server = history_server.on_disk(logs, 0)
    with ThreadPoolExecutor() as pool:
        serving = pool.submit(history_server.serve, server, addresses.put, stop, log.name)
        serving.add_done_callback(lambda _: addresses.put(""))  # also where it fails
        yield addresses.get() or str(serving.exception())
        stop.set()
        serving.result()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    browser = the_browser()
    # Root may not use the browser's sandbox; the pages are our own.
    arguments = ["--no-proxy-server", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=browser.program, args=arguments, env={**os.environ, **browser.environment}
        )
        yield started.new_page(viewport={"width": 1400, "height": 1000})
        started.close()


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
