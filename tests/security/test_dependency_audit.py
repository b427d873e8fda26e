import json
import threading
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from helpers.dependencies.audit import ACCEPTED, PIP_AUDIT, Acceptance, evaluate, main, read_reports

TODAY = date(2026, 11, 24)
FOUND = {
    "name": "requests",
    "version": "2.19.0",
    "vulns": [
        {
            "id": "PYSEC-2018-28",
            "aliases": ["CVE-2018-18074", "GHSA-x84v-xcm2-53pg"],
            "description": "The password is\nsent in clear text.",
            "fix_versions": ["2.20.0"],
        }
    ],
}
CLEAN = {"name": "urllib3", "version": "2.8.0", "vulns": []}
UNKNOWN = {"name": "own-package", "skip_reason": "Dependency not found on PyPI"}
NAMES = "PYSEC-2018-28, CVE-2018-18074, GHSA-x84v-xcm2-53pg"
LINE = f"requests 2.19.0: {NAMES}: The password is sent in clear text. "
ACCEPTANCE = Acceptance("CVE-2018-18074", "requests", "we send none", date(2026, 12, 31))


def evaluated(
    *packages: Any, accepted: Acceptance | None = None, required: bool = False
) -> tuple[list[str], bool]:
    audit = read_reports([{"dependencies": list(packages)}])
    return evaluate(audit, [accepted] if accepted else [], TODAY, required)


def without_fix() -> dict[str, Any]:
    return {**FOUND, "vulns": [{**FOUND["vulns"][0], "fix_versions": []}]}  # type: ignore[dict-item]


def test_packages_without_vulnerabilities_pass() -> None:
    assert evaluated(CLEAN) == (["Packages audited: 1"], False)


def test_a_vulnerability_fails_and_names_the_version_that_fixes_it() -> None:
    assert evaluated(CLEAN, FOUND) == ([f"VULNERABLE: {LINE}(fixed in 2.20.0)", "Packages audited: 2"], True)


def test_a_package_in_two_files_is_reported_once() -> None:
    both = read_reports([{"dependencies": [FOUND]}, {"dependencies": [FOUND, CLEAN]}])

    assert len(evaluate(both, [], TODAY)[0]) == 2


def test_what_has_no_fix_can_be_accepted_with_a_reason_until_a_day() -> None:
    lines, failed = evaluated(without_fix(), accepted=ACCEPTANCE)

    assert not failed
    assert lines[0] == f"accepted until 2026-12-31: {LINE}(no fix is known): we send none"


@pytest.mark.parametrize(
    "accepted",
    [
        Acceptance("CVE-2018-18074", "requests", "too late", date(2026, 11, 23)),
        Acceptance("CVE-2018-18074", "urllib3", "another package", TODAY),
        Acceptance("CVE-2018-18075", "requests", "another one", TODAY),
    ],
)
def test_an_acceptance_covers_nothing_else(accepted: Acceptance) -> None:
    assert evaluated(without_fix(), accepted=accepted)[1]


def test_what_has_a_fix_is_not_accepted_any_more() -> None:
    assert evaluated(FOUND, accepted=ACCEPTANCE)[1]


def test_an_acceptance_without_use_is_reported() -> None:
    fixed = {**FOUND, "version": "2.20.0", "vulns": []}

    assert evaluated(fixed, accepted=ACCEPTANCE) == (
        [
            "CVE-2018-18074 of requests is accepted but no longer found: remove it",
            "Packages audited: 1",
        ],
        False,
    )


def test_what_is_not_in_the_database_is_reported_and_fails_only_where_an_audit_is_required() -> None:
    lines = [
        "NOT AUDITED: 1 packages, for example own-package: Dependency not found on PyPI",
        "Packages audited: 1",
    ]

    assert evaluated(CLEAN, UNKNOWN) == (lines, False)
    assert evaluated(CLEAN, UNKNOWN, required=True) == (lines, True)


# The command, with a script instead of pip-audit.

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Audit one file; return the exit code and the output."""

    def audit(pip_audit: Path, accepted: str = "", *more: str) -> tuple[int, str, str]:
        pins, listed = tmp_path / "pins.txt", tmp_path / "accepted.toml"
        pins.write_text(f"requests==2.19.0 --hash=sha256:{64 * '0'}\n")
        listed.write_text(accepted)
        code = main([str(pins), "--pip-audit", str(pip_audit), "--accepted", str(listed), *more])
        output = capsys.readouterr()
        return code, output.out, output.err

    return audit


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], Path]:
    """Create a program that prints to both streams and fails."""

    def make(out: str, err: str) -> Path:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{out}\nEND\ncat >&2 <<'END'\n{err}\nEND\nexit 1\n")
        path.chmod(0o755)
        return path

    return make


def test_a_database_that_does_not_answer_fails_only_where_an_audit_is_required(
    run: Run, program: Callable[[str, str], Path]
) -> None:
    pip_audit = program("", "Traceback\nrequests.exceptions.ConnectionError: no route\n  a hint")

    output = (
        "NOT AUDITED: the advisory database does not answer: requests.exceptions.ConnectionError: no route\n"
    )
    assert run(pip_audit) == (0, output, "")
    assert run(pip_audit, "", "--required") == (1, output, "")


def test_another_error_of_pip_audit_is_not_a_missing_database(
    run: Run, program: Callable[[str, str], Path]
) -> None:
    code, _, err = run(program("", "ERROR: package requests has duplicate requirements"))

    assert code == 1
    assert "has duplicate requirements" in err


def test_no_pip_audit_is_an_error(run: Run, tmp_path: Path) -> None:
    code, _, err = run(tmp_path / "nowhere")

    assert code == 1
    assert "pip-audit cannot start" in err


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('id = "A"', "missing 3 required positional arguments"),
        ('id = "A"\npackage = "p"\nreason = " "\nuntil = 2027-01-01', "A: write a reason"),
        ('id = "A"\npackage = "p"\nreason = "r"\nuntil = "2027-01-01"', "as a date without quotes"),
        (
            'id = "A"\npackage = "p"\nreason = "r"\nuntil = 2027-01-01\nnote = "n"',
            "unexpected keyword argument",
        ),
        ("id =", "Invalid value"),
    ],
)
def test_an_acceptance_that_is_not_complete_is_an_error(
    entry: str, message: str, run: Run, program: Callable[[str, str], Path]
) -> None:
    code, _, err = run(program("", ""), f"[[accepted]]\n{entry}\n")

    assert code == 1
    assert message in err


def test_the_file_of_the_repository_can_be_read(program: Callable[[str, str], Path], tmp_path: Path) -> None:
    report = json.dumps({"dependencies": [CLEAN]})

    assert main([str(tmp_path), "--pip-audit", str(program(report, "")), "--accepted", str(ACCEPTED)]) == 0


# The real pip-audit, with an advisory database on this machine.


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An advisory database with one vulnerability."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = (asked["package"]["name"], asked["version"]) == ("requests", "2.19.0")
            fixed = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.20.0"}]}
            advisory = {
                "id": "GHSA-x84v-xcm2-53pg",
                "aliases": ["CVE-2018-18074"],
                "summary": "Insufficiently Protected Credentials in Requests",
                "affected": [{"package": asked["package"], "ranges": [fixed]}],
            }
            body = json.dumps({"vulns": [advisory]} if known else {}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
    monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}/v1/query")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_pip_audit_finds_an_old_package(run: Run, database: None) -> None:
    assert run(PIP_AUDIT) == (
        1,
        "VULNERABLE: requests 2.19.0: CVE-2018-18074, GHSA-x84v-xcm2-53pg: "
        "Insufficiently Protected Credentials in Requests (fixed in 2.20.0)\nPackages audited: 1\n",
        "",
    )


def test_pip_audit_without_a_database_is_reported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
    monkeypatch.setenv("PIP_AUDIT_OSV_URL", "http://127.0.0.1:9/v1/query")

    code, output, _ = run(PIP_AUDIT)

    assert code == 0
    assert output.startswith(
        "NOT AUDITED: the advisory database does not answer: requests.exceptions.Connect"
    )
