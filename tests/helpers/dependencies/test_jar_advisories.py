"""Vulnerabilities of locked jars, from an advisory database on this machine."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from helpers.dependencies.audit import main
from helpers.dependencies.jar_components import add_jars
from helpers.spark.packages.jar_lock import LOCK, jar_of, write_jars

TABLES, STORAGE = "org.example:tables_2.12:1.0", "org.example:storage:1.0"
ADVISORY = {
    "id": "GHSA-1",
    "aliases": ["CVE-1"],
    "summary": "It reads what it should not.",
    "affected": [
        {
            "package": {"name": "org.example:storage"},
            "ranges": [{"events": [{"introduced": "0"}, {"fixed": "2"}]}],
        },
        {"package": {"name": "org.example:other"}, "ranges": [{"events": [{"fixed": "9"}]}]},
    ],
}


class Advisories(BaseHTTPRequestHandler):
    """Knows one vulnerability of storage 1.0, on the second page of its response."""

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_known = query["package"] == {"name": "org.example:storage", "ecosystem": "Maven"}
        answer: dict[str, Any] = {}
        if is_known and query["version"] == "1.0":
            answer = {"vulns": [ADVISORY]} if "page_token" in query else {"next_page_token": "2"}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def osv() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Advisories)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/query"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    storage = jar_of(STORAGE, 2, "2" * 64)
    path = tmp_path / LOCK
    path.write_text(write_jars({TABLES: [jar_of(TABLES, 1, "1" * 64), storage], STORAGE: [storage]}))
    return path


def test_a_vulnerable_jar_fails_the_audit_and_names_the_version_that_fixes_it(
    osv: str, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(lock), "--osv", osv]) == 1

    output = capsys.readouterr().out
    assert (
        "VULNERABLE: org.example:storage 1.0: GHSA-1, CVE-1: It reads what it should not. (fixed in 2)"
        in output
    )
    assert "Packages audited: 2" in output


def test_a_database_that_does_not_answer_fails_only_where_it_is_required(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = "http://127.0.0.1:9/query"

    assert main([str(lock), "--osv", nowhere]) == 0
    assert main([str(lock), "--osv", nowhere, "--required"]) == 1
    assert f"NOT AUDITED: the advisory database does not answer: {nowhere}" in capsys.readouterr().out


def test_the_bill_of_materials_has_each_jar_with_its_hash(lock: Path, tmp_path: Path) -> None:
    bill = tmp_path / "sbom.cdx.json"
    bill.write_text('{"components": [{"name": "numpy"}]}')

    add_jars(lock, bill)

    package, *jars = json.loads(bill.read_text())["components"]
    assert package == {"name": "numpy"}
    assert {each["purl"]: each["hashes"][0]["content"] for each in jars} == {
        "pkg:maven/org.example/tables_2.12@1.0": "1" * 64,
        "pkg:maven/org.example/storage@1.0": "2" * 64,
    }
