"""Compares the embedded AWS with moto alone, by moto's own tests: `make test-peers MOTO=<checkout>`.

Each difference is either among those of differences.toml, with its reason, or an error, as is a listed one
that no longer exists.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from helpers.command_line import run_command
from tests.peers import moto_tests
from tests.peers.comparison import Results, by_reason, differences, problems, read_reasons, table

DIFFERENCES = Path(__file__).with_name("differences.toml")
SERVERS = ("moto", "embedded")


def compare(arguments: argparse.Namespace) -> int:
    """Run the tests against both servers, and print how they compare; returns the exit code.

    Raises:
        UserError: the checkout does not have the commit, the tests could not be run, or differences.toml
            cannot be read.
    """
    reasons = read_reasons(DIFFERENCES)
    folder: Path = arguments.reports or Path(tempfile.mkdtemp(prefix="peers-"))
    folder.mkdir(parents=True, exist_ok=True)
    moto_tests.extract(arguments.moto, folder)
    print(f"The tests run; their reports are in {folder}", file=sys.stderr, flush=True)

    def run(name: str) -> Results:
        with moto_tests.serving(name, folder) as endpoint:
            return moto_tests.run(arguments.services, endpoint, folder, folder / f"{name}.xml")

    with ThreadPoolExecutor() as threads:
        on_moto, here = threads.map(run, SERVERS)
    found = differences(on_moto, here)
    print(table(on_moto, here, found), "", *by_reason(found, reasons), sep="\n")
    wrong = problems(found, reasons, arguments.services)
    if wrong:
        print(f"\nChange the embedded AWS or {DIFFERENCES.name}:", *wrong, sep="\n", file=sys.stderr)
    return int(bool(wrong))


def main() -> int:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(prog="test-peers", description=__doc__.splitlines()[0])
    parser.add_argument("--moto", type=Path, required=True, help="a checkout of github.com/getmoto/moto")
    parser.add_argument(
        "--services", nargs="+", choices=moto_tests.SERVICES, default=[*moto_tests.SERVICES], metavar="NAME"
    )
    parser.add_argument("--reports", type=Path, metavar="DIR", help="where to leave what the tests said")
    return run_command(compare, parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
