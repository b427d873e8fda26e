"""Compares the embedded AWS with moto, based on moto's own tests and AWS's public templates.

Each difference must be listed in differences.toml with a reason; an unlisted difference, or a listed one that
no longer exists, is an error.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from helpers.command_line import run_command
from tests.peers import moto_tests
from tests.peers.comparison import Results, by_reason, differences, problems, read_reasons, table
from tests.peers.servers import serving

DIFFERENCES = Path(__file__).with_name("differences.toml")
SERVERS = ("moto", "embedded")


def compare(arguments: argparse.Namespace) -> int:
    """Run the same tests against both servers, print the comparison, and return the exit code.

    Raises:
        UserError: a checkout does not have its commit, the tests could not be run, or differences.toml cannot
            be read.
    """
    reasons = read_reasons(DIFFERENCES)
    folder: Path = (arguments.reports or Path(tempfile.mkdtemp(prefix="peers-"))).resolve()
    templates = folder / "templates"
    templates.mkdir(parents=True, exist_ok=True)
    moto_tests.MOTO.extract(arguments.moto, folder)
    if arguments.templates:
        from tests.peers import public_templates  # noqa: PLC0415 - imports moto

        public_templates.TEMPLATES.extract(arguments.templates, templates)
    print(f"Reports are in {folder}", file=sys.stderr, flush=True)

    def run(name: str) -> Results:
        with serving(name, folder) as endpoint:
            results = moto_tests.run(arguments.services, endpoint, folder, folder / f"{name}.xml")
            of_templates = public_templates.deploy(templates, endpoint) if arguments.templates else {}
            return {**results, **of_templates}

    with ThreadPoolExecutor() as threads:
        on_moto, here = threads.map(run, SERVERS)
    found = differences(on_moto, here)
    print(table(on_moto, here, found), "", *by_reason(found, reasons), sep="\n")
    ran = [*arguments.services, *(["templates"] if arguments.templates else [])]
    wrong = problems(found, reasons, ran)
    if wrong:
        print(f"\nChange the embedded AWS or {DIFFERENCES.name}:", *wrong, sep="\n", file=sys.stderr)
    return int(bool(wrong))


def main() -> int:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(prog="test-peers", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--moto", type=Path, required=True, metavar="DIR", help=f"a checkout of {moto_tests.MOTO.remote}"
    )
    parser.add_argument(
        "--templates", type=Path, metavar="DIR", help="a checkout of aws-cloudformation-templates"
    )
    parser.add_argument(
        "--services",
        nargs="*",
        choices=moto_tests.SERVICES,
        default=[*moto_tests.SERVICES],
        metavar="NAME",
        help=f"compare these only, of {', '.join(moto_tests.SERVICES)}",
    )
    parser.add_argument("--reports", type=Path, metavar="DIR", help="where to leave what the tests print")
    return run_command(compare, parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
