"""Known vulnerabilities of locked jars from OSV, in the format of pip-audit's reports."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.spark.maven_jars import Jar
from helpers.spark.packages.jar_lock import read_all_jars

OSV = "https://api.osv.dev/v1/query"
"""The OSV API, which includes GitHub's advisories for Maven:
https://google.github.io/osv.dev/post-v1-query/"""
_TIMEOUT = 30


def ask_osv(file: Path, url: str = OSV) -> Mapping[str, Any] | str:
    """Return a report on the jars of a lock file, or the error if OSV does not answer.

    Raises:
        UserError: the lock file cannot be read.
    """
    try:
        return {
            "dependencies": [
                {
                    "name": _name(jar),
                    "version": jar.version,
                    "vulns": [_vulnerability(jar, found) for found in _query_osv(jar, url)],
                }
                for jar in read_all_jars(file)
            ]
        }
    except (OSError, ValueError) as error:
        return f"{url}: {error}"


def _name(jar: Jar) -> str:
    return f"{jar.group}:{jar.artifact}"


def _query_osv(jar: Jar, url: str) -> Iterator[Mapping[str, Any]]:
    token = ""
    while True:
        query = {"version": jar.version, "package": {"name": _name(jar), "ecosystem": "Maven"}}
        body = json.dumps({**query, **({"page_token": token} if token else {})}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 -- OSV's, or a test's
            page = json.load(answer)
        yield from page.get("vulns", [])
        token = page.get("next_page_token", "")
        if not token:
            return


def _vulnerability(jar: Jar, found: Mapping[str, Any]) -> dict[str, Any]:
    fixed = {
        event["fixed"]
        for affected in found.get("affected", [])
        if affected.get("package", {}).get("name") == _name(jar)
        for each in affected.get("ranges", [])
        for event in each.get("events", [])
        if "fixed" in event
    }
    return {
        "id": found["id"],
        "aliases": found.get("aliases", []),
        "description": found.get("summary") or found.get("details", ""),
        "fix_versions": sorted(fixed),
    }
