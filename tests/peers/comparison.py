"""Results of tests and templates on two servers, and their known differences."""

import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import UserError, one_per_line

DIRECTIONS = ("fails_here", "fails_on_moto")
"""The keys of the file of differences: tests that pass only on moto, and only on the embedded AWS."""

Results = Mapping[str, bool]
"""Whether each test passed, by pytest ID, without skipped tests."""


@dataclass(frozen=True)
class Reason:
    """The reason for different results of some tests."""

    direction: str
    reason: str
    tests: tuple[str, ...]


def read_reasons(path: Path) -> list[Reason]:
    """Return the known differences.

    Raises:
        UserError: the file cannot be read, has an unknown key or an empty reason, or lists a test twice.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        reasons = list(_reasons(content))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UserError(f"{path}: {error!r}: write [[{DIRECTIONS[0]}]] with reason and tests") from error
    times = Counter(test for each in reasons for test in each.tests)
    faults = [f"{key}: use {' or '.join(DIRECTIONS)}" for key in content if key not in DIRECTIONS]
    faults += [f"{each.tests}: write a reason" for each in reasons if not each.reason.strip()]
    faults += [f"{test}: list it once" for test, count in times.items() if count > 1]
    if faults:
        raise UserError(f"{path} cannot be used:{one_per_line(faults)}")
    return reasons


def _reasons(content: Mapping[str, Any]) -> Iterator[Reason]:
    for direction in DIRECTIONS:
        for entry in content.get(direction, []):
            yield Reason(direction, str(entry["reason"]), tuple(entry["tests"]))


def differences(on_moto: Results, here: Results) -> dict[str, str]:
    """Return the direction of each test with different results."""
    return {
        test: DIRECTIONS[1] if here.get(test) or on_moto.get(test) is False else DIRECTIONS[0]
        for test in sorted({*on_moto, *here})
        if on_moto.get(test) != here.get(test)
    }


def problems(found: Mapping[str, str], reasons: Iterable[Reason], ran: Iterable[str]) -> list[str]:
    """Return unlisted differences, and listed ones that no longer exist.

    Args:
        found: the direction of each difference by test.
        reasons: the known differences; those of other services are ignored.
        ran: the tested services.
    """
    known = {test: each.direction for each in reasons for test in each.tests if service_of(test) in {*ran}}
    new = [f"new: {test} {direction}" for test, direction in found.items() if known.get(test) != direction]
    gone = [
        f"gone: {test} is listed under {direction}"
        for test, direction in known.items()
        if found.get(test) != direction
    ]
    return new + gone


def service_of(test: str) -> str:
    """Return the service of a test: `sts` for `tests/test_sts/test_sts.py::test_x`, or `templates`."""
    folder, name, *_ = test.split("/")
    return name.removeprefix("test_") if folder == "tests" else folder


def table(on_moto: Results, here: Results, found: Mapping[str, str]) -> str:
    """Return the number of tests that ran, passed and differ, by service."""
    columns: dict[str, Collection[str]] = {
        "tests": {*on_moto, *here},
        "moto": [test for test, passed in on_moto.items() if passed],
        "here": [test for test, passed in here.items() if passed],
        "differ": found,
    }
    counts = {name: Counter(service_of(test) for test in tests) for name, tests in columns.items()}
    rows = {service: [count[service] for count in counts.values()] for service in sorted(counts["tests"])}
    rows["total"] = [count.total() for count in counts.values()]
    heading = f"{'service':<16}" + "".join(f"{name:>8}" for name in columns)
    lines = [f"{name:<16}" + "".join(f"{figure:>8,}" for figure in row) for name, row in rows.items()]
    return "\n".join([heading, *lines])


def by_reason(found: Mapping[str, str], reasons: Iterable[Reason]) -> list[str]:
    """Return the number of differences per reason, most frequent first."""
    counts = [(sum(test in found for test in each.tests), each.reason) for each in reasons]
    return [f"{count:>5}  {reason}" for count, reason in sorted(counts, reverse=True) if count]
