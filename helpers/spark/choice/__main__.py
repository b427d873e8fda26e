"""`python -m helpers.spark.choice`: instance types and counts for an amount of data and a deadline."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.aws import Session
from helpers.command_line import positive, run_command
from helpers.errors import UserError
from helpers.pricing import PRICES, Prices, load_prices
from helpers.s3 import parse
from helpers.spark.choice.model import Model, fit, why_unusable
from helpers.spark.choice.ranking import BOOT, WAIT, Candidate, Meets, candidates, ranked
from helpers.spark.event_log.reading import EventLogError
from helpers.spark.event_log.summary import RunSummary, summarize
from helpers.spark.instances import instances

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MOST_LINES = 12
MOST_INSTANCES = 100
"""Maximum instances of a processing job in the API."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.spark.choice",
        description="Ranks clusters by estimated cost and time for a data size and a deadline.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--data-gb", type=positive, required=True, metavar="GB", help="size of the input in 10⁹ bytes"
    )
    parser.add_argument("--deadline-minutes", type=positive, required=True, metavar="MINUTES")
    parser.add_argument(
        "--runs",
        nargs="*",
        default=(),
        metavar="PATH_OR_URI",
        help="event logs of earlier runs of the job, or folders with event logs; paths or s3:// URIs",
    )
    parser.add_argument("--most", type=int, default=20, metavar="N", help="instances (default: %(default)s)")
    parser.add_argument("--prices", type=Path, default=PRICES, metavar="FILE")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the traceback of an error")
    return run_command(_choose, parser.parse_args(arguments))


def _choose(arguments: argparse.Namespace) -> int:
    if not 1 <= arguments.most <= MOST_INSTANCES:
        raise UserError(
            f"--most is {arguments.most}", hint=f"Set it to a number of instances from 1 to {MOST_INSTANCES}"
        )
    data_bytes, deadline = int(arguments.data_gb * 1e9), 60 * arguments.deadline_minutes
    prices = load_prices(arguments.prices)
    runs, skipped = _read(arguments.runs)
    model = fit(runs)
    every = candidates(model, data_bytes, prices, instances().values(), arguments.most)
    best = ranked(every, deadline)
    print("\n".join([*_basis(model, prices, data_bytes), *skipped, "", *_table(best, deadline, data_bytes)]))
    return 0


def _read(sources: Sequence[str]) -> tuple[list[RunSummary], list[str]]:
    """Return the runs that can be used for estimates, and a message for each other run."""
    s3 = Session().client("s3") if any("://" in source for source in sources) else None
    runs, skipped = [], []
    for source in sources:
        for log in logs(source, s3):
            try:
                run = summarize(log, s3)
            except EventLogError as error:
                if log == source:
                    raise
                skipped.append(f"Not used: {log}: {error.message}.")
                continue
            if why := why_unusable(run):
                skipped.append(f"Not used: {log}: {why}.")
            else:
                runs.append(run)
    return runs, skipped


def logs(source: str, s3: "S3Client | None") -> Iterator[str]:
    """Yield the logs in a folder, or the source itself if it is a log."""
    if s3 is not None and "://" in source:
        bucket, key = parse(source)
        folder = key.rstrip("/") + "/" if key else ""
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder, Delimiter="/")
        below = [
            name
            for page in pages
            for name in [
                *(entry["Key"] for entry in page.get("Contents", [])),
                *(entry["Prefix"] for entry in page.get("CommonPrefixes", [])),
            ]
            if name != folder
        ]
        yield from (f"s3://{bucket}/{name}" for name in below) if below else [source]
    elif Path(source).is_dir() and not Path(source).name.startswith("eventlog_v2_"):
        yield from sorted(str(path) for path in Path(source).iterdir() if not path.name.startswith("."))
    else:
        yield source


def _basis(model: Model, prices: Prices, data_bytes: int) -> Iterator[str]:
    """Yield what the estimates are based on."""
    yield f"{model.basis}."
    yield (
        f"The job: {model.fixed_seconds:.0f} s, and {model.core_seconds_per_gb:.0f} core-seconds a GB. "
        "Cores of all types count alike, so name runs on such instances, not on a laptop."
    )
    if model.most_bytes and data_bytes > 2 * model.most_bytes:
        yield (
            f"The largest run read {model.most_bytes / 1e9:,.2f} GB: {data_bytes / 1e9:,.0f} GB are beyond "
            "what was seen, and spill or skew may come on top."
        )
    wait = WAIT.times(1 / 60)
    yield (
        f"Assumed: {wait.value:.0f} min ({wait.low:.0f} to {wait.high:.0f}) until the instances are there, "
        f"unpaid; {BOOT.value:.0f} s ({BOOT.low:.0f} to {BOOT.high:.0f}) for the container."
    )
    unknown = len(set(instances()) - prices.instance_types)
    yield (
        f"Estimates with on-demand prices of {prices.region} as of {prices.as_of}. Left out: {unknown} types "
        "without a known price (make prices), and t3, which has all of its cores for a while only."
    )


def _table(best: Sequence[Candidate], deadline: float, data_bytes: int) -> Iterator[str]:
    """Yield the ranking, then the next command."""
    if not best:
        raise UserError(
            "no instance type to choose from has a known price", hint="Refresh the prices with: make prices"
        )
    yield f"{'instances':<22}{'cores':>6}{'minutes':>22}{'USD':>24}  in time"
    for candidate in best[:MOST_LINES]:
        minutes, usd = candidate.elapsed.times(1 / 60), candidate.usd
        yield (
            f"{f'{candidate.count} × {candidate.instance.name}':<22}{candidate.slots:>6}"
            f"{f'{minutes.value:,.0f} ({minutes.low:,.0f} to {minutes.high:,.0f})':>22}"
            f"{f'{usd.value:,.2f} ({usd.low:,.2f} to {usd.high:,.2f})':>24}  {candidate.meets(deadline)}"
        )
    first = best[0]
    yield ""
    if first.meets(deadline) is Meets.NO:
        yield (
            f"None is in time: allow more than {first.elapsed.value / 60:,.0f} minutes, or more instances "
            "with ARGS='--most N'."
        )
    else:
        yield (
            f"Next: make size INSTANCE={first.instance.name} COUNT={first.count} DATA_GB={data_bytes / 1e9:g}"
        )


if __name__ == "__main__":
    sys.exit(main())
