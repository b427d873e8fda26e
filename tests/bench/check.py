"""Compares ratios with the recorded ones: `make bench-check` fails if they are worse.

Ratios of candidates that ran side by side can be compared across machines; seconds cannot.
"""

from collections.abc import Mapping
from typing import Any

TOLERANCE = 0.25
"""Fraction by which a ratio may be worse; medians of two runs on one machine differ by a tenth or more."""

RATIOS = (
    ("alternatives", "our job", "the sample's job"),
    ("alternatives", "our job", "DuckDB"),
    ("executors", "2", "1"),
    ("event_log", "our reader", "history server"),
)
FIGURES = ("seconds", "cpu_seconds")


def ratio(results: Mapping[str, Any], section: str, one: str, other: str, figure: str) -> float | None:
    """Return one figure as a multiple of another, or None if they were not measured."""
    try:
        costs = results[section]["results"]
        return float(costs[one][figure] / costs[other][figure])
    except (KeyError, ZeroDivisionError):
        return None


def compare(kept: Mapping[str, Any], measured: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Return one line per ratio, and whether one exceeds the tolerance or none was compared."""
    lines, worse = [], False
    for section, one, other in RATIOS:
        for figure in FIGURES:
            before = ratio(kept, section, one, other, figure)
            now = ratio(measured, section, one, other, figure)
            if before is None or now is None:
                continue
            bad = now > before * (1 + TOLERANCE)
            worse |= bad
            lines.append(
                f"{'WORSE' if bad else 'ok':5}  {one} / {other}, {figure}: {now:.2f}, kept {before:.2f}, "
                f"at most {before * (1 + TOLERANCE):.2f}"
            )
    if not lines:
        return ["nothing to compare: the kept figures have none of these sections, run: make bench"], True
    return lines, worse
