"""Checks pinned dependencies for known vulnerabilities: `python -m helpers.dependencies.audit FILE…`.

pip-audit queries the advisory database. This module adds two features: it distinguishes a vulnerability from
a database that cannot be reached, and it accepts a vulnerability without a fix until a date, with a reason.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from helpers.command_line import run_command
from helpers.dependencies.jar_advisories import OSV, ask_osv
from helpers.errors import UserError, one_per_line
from helpers.spark.packages.jar_lock import LOCK

ROOT = Path(__file__).parents[2]
PIP_AUDIT = Path(sys.prefix) / "security" / "bin" / "pip-audit"
ACCEPTED = ROOT / "accepted-vulnerabilities.toml"
_NO_SERVICE = ("requests.exceptions.", "Could not connect to", "ServiceError", "ConnectionError")


@dataclass(frozen=True)
class Vulnerability:
    """A known vulnerability of a pinned package."""

    package: str
    version: str
    names: tuple[str, ...]
    """Its ID, then its aliases."""
    description: str
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        """Return the vulnerability as one line."""
        fix = f"fixed in {' and '.join(self.fixed_in)}" if self.fixed_in else "no fix is known"
        return f"{self.package} {self.version}: {', '.join(self.names)}: {self.description} ({fix})"


@dataclass(frozen=True)
class Acceptance:
    """A vulnerability that is accepted until a date, with a reason."""

    id: str
    package: str
    reason: str
    until: date

    def covers(self, vulnerability: Vulnerability, today: date) -> bool:
        """Return whether it accepts a vulnerability; one with a fix is never accepted."""
        return (
            today <= self.until
            and self.package == vulnerability.package
            and self.id in vulnerability.names
            and not vulnerability.fixed_in
        )


@dataclass(frozen=True)
class Audit:
    """The vulnerabilities of the packages in requirements files."""

    vulnerabilities: frozenset[Vulnerability]
    audited: frozenset[str]
    skipped: Mapping[str, str]
    """The packages that could not be audited, with the reason."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the audit and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.dependencies.audit",
        description="Fails for known vulnerabilities in requirement files and locked jars.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help=f"requirements file with hashes, or {LOCK}"
    )
    parser.add_argument(
        "--required", action="store_true", help="also fail if the advisory database cannot be reached"
    )
    parser.add_argument(
        "--accepted", type=Path, default=ACCEPTED, help="accepted vulnerabilities (default: %(default)s)"
    )
    parser.add_argument("--osv", default=OSV, help="URL of the advisories on jars (default: %(default)s)")
    parser.add_argument(
        "--pip-audit", type=Path, default=PIP_AUDIT, help="path of pip-audit (default: %(default)s)"
    )
    return run_command(_run, parser.parse_args(arguments))


def _run(arguments: argparse.Namespace) -> int:
    accepted = read_acceptances(arguments.accepted)
    reports = []
    for file in arguments.files:
        report = ask_osv(file, arguments.osv) if file.name == LOCK else ask(arguments.pip_audit, file)
        if isinstance(report, str):
            print(f"NOT AUDITED: the advisory database does not answer: {report}")
            return int(arguments.required)
        reports.append(report)
    lines, failed = evaluate(read_reports(reports), accepted, datetime.now(UTC).date(), arguments.required)
    print("\n".join(lines))
    return int(failed)


def read_acceptances(path: Path) -> list[Acceptance]:
    """Return the accepted vulnerabilities in a TOML file.

    Raises:
        UserError: the file cannot be read, or an entry is not valid.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("accepted", [])
        accepted = [Acceptance(**entry) for entry in entries]
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise UserError(
            f"{path} cannot be read: {error}",
            hint=f"Write each entry of {path} with id, reason and until, as docs/security-reviewer.md shows",
        ) from error
    problems = [
        f"{entry.id}: write a reason, and until as a date without quotes"
        for entry in accepted
        if not str(entry.reason).strip() or type(entry.until) is not date
    ]
    if problems:
        raise UserError(
            f"{path} cannot be used:{one_per_line(problems)}", hint=f"Correct {path}, then run: make audit"
        )
    return accepted


def ask(pip_audit: Path, file: Path) -> Mapping[str, Any] | str:
    """Return pip-audit's report on a file, or its error if the advisory database does not answer.

    Raises:
        UserError: pip-audit cannot start, or cannot audit this file.
    """
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    output = ["--format", "json", "--desc", "on", "--aliases", "on"]
    try:
        done = subprocess.run(
            [str(pip_audit), "--requirement", str(file), *options, *output],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise UserError(
            f"pip-audit cannot start: {error}",
            hint="Install it again with: rm .venv/security/ready && make audit",
        ) from error
    try:
        report: Mapping[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        lines = done.stderr.strip().splitlines() or ["it prints nothing"]
        for line in reversed(lines):
            if any(sign in line for sign in _NO_SERVICE):
                return line
        raise UserError(
            f"pip-audit cannot audit {file}: {lines[-1]}",
            hint=f"Pin the versions in {file} again with: make lock",
        ) from None
    return report


def read_reports(reports: Sequence[Mapping[str, Any]]) -> Audit:
    """Return reports of pip-audit as one audit."""
    vulnerabilities, audited, skipped = set(), set(), {}
    for package in (package for report in reports for package in report["dependencies"]):
        if "skip_reason" in package:
            skipped[package["name"]] = package["skip_reason"]
            continue
        audited.add(package["name"])
        for found in package["vulns"]:
            vulnerabilities.add(
                Vulnerability(
                    package["name"],
                    package["version"],
                    (found["id"], *found.get("aliases", ())),
                    _short(found.get("description", "")),
                    tuple(found["fix_versions"]),
                )
            )
    return Audit(frozenset(vulnerabilities), frozenset(audited), skipped)


def evaluate(
    audit: Audit, accepted: Sequence[Acceptance], today: date, required: bool = False
) -> tuple[list[str], bool]:
    """Return the lines to print about an audit, and whether it fails."""
    lines, failed = [], False
    for vulnerability in sorted(audit.vulnerabilities, key=str):
        reason = next((entry for entry in accepted if entry.covers(vulnerability, today)), None)
        if reason:
            lines.append(f"accepted until {reason.until}: {vulnerability}: {reason.reason}")
        else:
            lines.append(f"VULNERABLE: {vulnerability}")
            failed = True
    named = {(v.package, name) for v in audit.vulnerabilities for name in v.names}
    lines += [
        f"{entry.id} of {entry.package} is accepted but no longer found: remove it"
        for entry in accepted
        if entry.package in audit.audited and (entry.package, entry.id) not in named
    ]
    if audit.skipped:
        name, why = next(iter(audit.skipped.items()))
        lines.append(f"NOT AUDITED: {len(audit.skipped)} packages, for example {name}: {why}")
        failed |= required
    lines.append(f"Packages audited: {len(audit.audited)}")
    return lines, failed


def _short(text: str, longest: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]}…"


if __name__ == "__main__":
    sys.exit(main())
