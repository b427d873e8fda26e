"""Merges later versions of the template into a fork: `python -m helpers.template upgrade`."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from helpers.command_line import run_command
from helpers.errors import one_per_line
from helpers.progress import progress
from helpers.template.git import Git
from helpers.template.upgrade import STEPS, abort, resume, upgrade

REPOSITORY = Path(__file__).parents[2]


def _upgrade(arguments: argparse.Namespace) -> int:
    git = Git(arguments.fork)
    if arguments.abort:
        abort(git)
        print("The fork is as it was before the upgrade.")
        return 0
    if arguments.resume:
        resume(git)
        print("The upgrade is committed. Next: make lint test run")
        return 0
    here = "" if arguments.fork == REPOSITORY else str(REPOSITORY)
    with progress("upgrade", "fork", STEPS, Console(stderr=True)) as shown:
        done = upgrade(
            git, arguments.to, start=arguments.start, template=arguments.template or here, step=shown.step
        )
    name = f"{done.version.version} of the template"
    if done.stay_deleted:
        print(f"Files that {name} changed and you deleted stay deleted:{one_per_line(done.stay_deleted)}")
    if done.conflicts:
        print(f"{name} conflicts with your changes:{one_per_line(done.conflicts)}")
        print("Resolve the conflicts, `git add` the files, then: make upgrade ARGS=--continue")
        print("To undo the upgrade: make upgrade ARGS=--abort")
        return 1
    print(f"Upgraded to {name}. Next: make lint test run")
    return 0


def main() -> int:
    """Parse the command line and run the command."""
    parser = argparse.ArgumentParser(prog="python -m helpers.template", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("upgrade", help="merge a later version of the template")
    command.add_argument("--to", default="", metavar="VERSION", help="tag, branch or commit of the template")
    command.add_argument(
        "--from", dest="start", default="", metavar="VERSION", help="the version that the fork has"
    )
    command.add_argument("--template", default="", metavar="ADDRESS", help="the template's repository")
    command.add_argument(
        "--fork", type=Path, default=REPOSITORY, metavar="FOLDER", help="a fork without this command"
    )
    way = command.add_mutually_exclusive_group()
    way.add_argument(
        "--continue", dest="resume", action="store_true", help="commit after conflicts are resolved"
    )
    way.add_argument("--abort", action="store_true", help="restore the commit from before the upgrade")
    command.set_defaults(run=_upgrade)
    arguments = parser.parse_args()
    if not (arguments.to or arguments.resume or arguments.abort):
        parser.error("the version is missing: make upgrade TO=<tag, branch or commit of the template>")
    return run_command(arguments.run, arguments)


if __name__ == "__main__":
    sys.exit(main())
