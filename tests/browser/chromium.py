"""The browser of the browser tests."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
FOLDER = HERE / "node_modules" / ".chromium"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a headless browser that connects only to this machine."""
    program, environment = _program()
    # Root cannot use the browser's sandbox; the pages are our own.
    arguments = ["--no-proxy-server", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, args=arguments, env={**os.environ, **environment}
        )
        yield started
        started.close()


def _program() -> tuple[Path, dict[str, str]]:
    """Return the Chromium of $CHROMIUM, of the npm package, or of this machine, in this order."""
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
        return FOLDER / "browser", own
    installed = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    program = named or next(filter(None, installed), None)
    if program is None:
        pytest.fail("There is no browser: set CHROMIUM to the path of a Chrome or Chromium.")
    return Path(program), {}
