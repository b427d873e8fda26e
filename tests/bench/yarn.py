"""Measures jobs with two instances on YARN against the last commit that used local-cluster mode.

Both commits are checked out in separate worktrees and run alternately: a cold `make run`, whose job is the
first of a server and starts a cluster, and another job that reuses this cluster.
"""

import statistics
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench.commands import Checkout, checkout
from tests.bench.small_jobs import container_seconds

LOCAL_CLUSTER = "b5c821a5de5dc0524ba8b8fb9d9ae6be5e15cd4d"
"""The last commit without YARN."""


def measure(rounds: int, folder: Path) -> dict[str, Any]:
    """Measure both commits in rounds; return medians in seconds."""
    with ExitStack() as stack:
        before, now = (
            stack.enter_context(checkout(commit, folder / name))
            for name, commit in (("before", LOCAL_CLUSTER), ("now", "HEAD"))
        )
        pairs = []
        for number in range(1, rounds + 1):
            pairs.append((_cold_and_warm(before), _cold_and_warm(now)))
            print(f"round {number}: before {pairs[-1][0]}, now {pairs[-1][1]}", file=sys.stderr, flush=True)
    return {
        "baseline": LOCAL_CLUSTER,
        "results": {name: _compared([(a[name], b[name]) for a, b in pairs]) for name in pairs[0][0]},
    }


def _compared(pairs: list[tuple[float, float]]) -> dict[str, float]:
    """Return the medians of both, of their differences and of their ratios."""
    return {
        "before": round(statistics.median(before for before, _ in pairs), 2),
        "now": round(statistics.median(now for _, now in pairs), 2),
        "difference": round(statistics.median(now - before for before, now in pairs), 2),
        "ratio": round(statistics.median(now / before for before, now in pairs), 3),
    }


def _cold_and_warm(each: Checkout) -> Mapping[str, float]:
    each.forget()
    cold = each.make("run")
    first = container_seconds(each)
    each.make("start", "CACHE=off")
    further = container_seconds(each)
    each.make("down")
    return {"make run, cold": cold.seconds, "first job of a server": first, "further job": further}
