"""`python -m helpers.pricing`: write the prices, from AWS's Price List API."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from helpers.aws import Session
from helpers.command_line import run_command
from helpers.files import write_atomically
from helpers.pricing import PRICES, load_prices
from helpers.pricing.price_list import ask, refreshed

PRICE_LIST_REGION = "us-east-1"
"""The API has endpoints in few regions, and answers for all of them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.pricing", description="Refreshes the dated prices.", allow_abbrev=False
    )
    parser.add_argument("--region", help="region of the prices (default: that of the file)")
    parser.add_argument("--file", type=Path, default=PRICES, help="(default: helpers/pricing/prices.json)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the traceback of an error")
    return run_command(_refresh, parser.parse_args(arguments))


def _refresh(arguments: argparse.Namespace) -> int:
    before = load_prices(arguments.file)
    region = arguments.region or before.region
    client = Session(PRICE_LIST_REGION).client("pricing")
    after = refreshed(before, ask(client, region), region, datetime.now(UTC).date())
    write_atomically(arguments.file, after.model_dump_json(indent=2) + "\n")
    changed = [
        f"  {name}: {old} → {new} USD an hour"
        for name in sorted(after.instance_types)
        if (old := before.hourly_price(name)) != (new := after.hourly_price(name)) and old is not None
    ]
    print(f"{arguments.file}: {len(after.instance_types)} instance types in {region}, as of {after.as_of}.")
    print("\n".join(changed) if changed else "  No price that was known has changed.")
    if before.resources and not after.resources:
        print(f"  Fixed prices of resources in {before.region} were dropped: {region} has others.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
