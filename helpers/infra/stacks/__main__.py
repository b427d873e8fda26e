"""The command line: `python -m helpers.infra.stacks {plan,deploy,drift,migrate,outputs,teardown} --env ENV`.

`plan` exits with 0 whether or not there are changes. `drift` exits with 3 if there is drift.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from helpers.aws import connect
from helpers.command_line import common_options, run_command
from helpers.infra.stacks.configuration import (
    INFRA,
    StackConfiguration,
    legacy_stack_name,
    load_settings,
    load_stacks,
)
from helpers.infra.stacks.deploy import deploy_environment
from helpers.infra.stacks.drift import DRIFTED, as_document, find_drift, show_drift
from helpers.infra.stacks.migrate import migrate
from helpers.infra.stacks.outputs import outputs_of, table_of
from helpers.infra.stacks.plan import plan_all, show_plan
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.infra.stacks.teardown import reject_protected, teardown

if TYPE_CHECKING:
    import boto3
    from types_boto3_cloudformation import CloudFormationClient


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    return run_command(_run, _parser().parse_args(arguments))


def _run(arguments: argparse.Namespace) -> int:
    console = _console()
    session, stacks = _open(arguments)
    cloudformation = session.client("cloudformation")
    match arguments.command:
        case "plan":
            for plan in plan_all(cloudformation, stacks):
                show_plan(plan, console)
        case "deploy":
            deploy_environment(session, arguments.env, console, arguments.infra)
        case "drift":
            return _drift(session, stacks, arguments, console)
        case "migrate":
            legacy = legacy_stack_name(arguments.env, arguments.infra)
            if found := migrate(session, legacy, stacks, console, None if arguments.yes else input):
                console.print(table_of(found, f"the stacks of {arguments.env}"))
        case "outputs":
            _outputs(cloudformation, stacks, arguments, console)
        case "teardown":
            teardown(
                session,
                stacks,
                console,
                confirm=None if arguments.yes else input,
                with_github=arguments.with_github,
            )
    return 0


def _open(arguments: argparse.Namespace) -> "tuple[boto3.Session, tuple[StackConfiguration, ...]]":
    """Return a session for the environment, and its stacks with the values that the command needs."""
    stacks = load_stacks(arguments.env, arguments.infra)
    if arguments.command == "teardown":
        reject_protected(stacks, allowed=arguments.allow_protected)
    session = connect(arguments.env, load_settings(arguments.env, arguments.infra).region)
    if arguments.command not in {"outputs", "teardown"}:
        stacks = with_regional_values(session.client("ec2"), stacks)
    return session, stacks


def _console() -> Console:
    """Return the console. If the output is not a terminal, long lines are not wrapped."""
    return Console() if sys.stdout.isatty() else Console(width=200, soft_wrap=True)


def _drift(
    session: "boto3.Session",
    stacks: Sequence[StackConfiguration],
    arguments: argparse.Namespace,
    console: Console,
) -> int:
    found = find_drift(session.client("cloudformation"), session.client("iam"), stacks)
    if arguments.json:
        print(json.dumps(as_document(arguments.env, found), indent=2))
    else:
        show_drift(arguments.env, found, console)
    return DRIFTED if any(found) else 0


def _outputs(
    cloudformation: "CloudFormationClient",
    stacks: Sequence[StackConfiguration],
    arguments: argparse.Namespace,
    console: Console,
) -> None:
    found: dict[str, str] = {}
    for stack in stacks:
        found |= outputs_of(cloudformation, stack.name, arguments.env)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        console.print(table_of(found, f"the stacks of {arguments.env}"))


def _parser() -> argparse.ArgumentParser:
    common = common_options()
    common.add_argument(
        "--infra",
        type=Path,
        default=INFRA,
        help="folder of the templates and their parameters (default: infra)",
    )
    parser = argparse.ArgumentParser(
        prog="python -m helpers.infra.stacks", description="The stacks of an environment."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("plan", parents=[common], help="show what a deployment would change; exits with 0")
    commands.add_parser("deploy", parents=[common], help="create or update the stacks in deployment order")
    drift = commands.add_parser(
        "drift",
        parents=[common],
        help=f"show what is not deployed and what was changed by hand; exits with {DRIFTED} if there is any",
    )
    drift.add_argument("--json", action="store_true", help="as JSON")
    migration = commands.add_parser(
        "migrate", parents=[common], help="migrate keys and buckets from the single stack of earlier versions"
    )
    migration.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    outputs = commands.add_parser("outputs", parents=[common], help="show the outputs of the stacks")
    outputs.add_argument("--json", action="store_true", help="as JSON")
    removal = commands.add_parser("teardown", parents=[common], help="delete the stacks and the data in them")
    removal.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    removal.add_argument("--allow-protected", action="store_true", help="allow it in a protected environment")
    removal.add_argument(
        "--with-github", action="store_true", help="include the stack of GitHub's roles, as an administrator"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
