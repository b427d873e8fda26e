"""The command line: `python -m helpers.github COMMAND`."""

import argparse
import json
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from github.Repository import Repository

from helpers.command_line import run_command
from helpers.environments import (
    PARAMETERS,
    PREVIEW,
    Environment,
    EnvironmentSettings,
    has_previews,
    promoted,
    read_settings,
)
from helpers.errors import UserError
from helpers.files import write_atomically
from helpers.github.comments import pull_request_number, put_comment
from helpers.github.connection import github_errors, open_repository
from helpers.github.drift_issues import report_drift
from helpers.github.inputs import validate_inputs
from helpers.github.settings import Call, environment_settings, protection, send
from helpers.github.trust import preview_role_command, trust_parameters, write_trust
from helpers.github.workflows import generate, unused_workflows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    return run_command(_run, _parser().parse_args(arguments))


def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "environments":
            print(*promoted(), sep="\n")
            return 0
        case "check-inputs":
            print(*(f"{key}={value}" for key, value in validate_inputs(os.environ).items()), sep="\n")
            return 0
        case "workflows":
            return _workflows(check=arguments.check)
    return _run_on_github(arguments)


def _run_on_github(arguments: argparse.Namespace) -> int:
    repository = open_repository(os.environ)
    with github_errors():
        match arguments.command:
            case "comment":
                _comment(repository, arguments)
            case "drift-issue":
                drift = _from_standard_input("drift")
                done = report_drift(repository, drift, this_run(os.environ))
                print(f"Issue about drift in {drift['environment']}: {done}.")
            case "protect":
                _send(repository, protection(repository), arguments.dry_run)
            case "trust":
                _trust(repository, arguments.environment, arguments.dry_run)
            case _:
                outputs = _from_standard_input("outputs")
                name = arguments.environment
                settings = read_settings(PARAMETERS / f"{name}.json")
                calls = environment_settings(repository, name, outputs, settings, arguments.reviewers)
                _send(repository, calls, arguments.dry_run)
    return 0


def _workflows(*, check: bool) -> int:
    listed: dict[str, EnvironmentSettings] = {name: name.settings for name in promoted()}
    changed = generate(listed)
    for path, text in changed.items():
        if not check:
            write_atomically(path, text)
        print(
            f"{path.name}: {'does not match infra/parameters; run: make workflows' if check else 'written'}."
        )
    unused = unused_workflows(listed, previews=has_previews())
    for path in unused:
        print(f"{path.name}: no environment uses it; delete it.")
    return 1 if unused or (check and changed) else 0


def _comment(repository: Repository, arguments: argparse.Namespace) -> None:
    number = pull_request_number(os.environ)
    more = f"See {this_run(os.environ)}."
    done = put_comment(repository, number, arguments.mark, _read(arguments.file), more)
    print(f"Comment {arguments.mark} on pull request {number}: {done}.")


def _trust(repository: Repository, environment: str, dry_run: bool) -> None:
    parameters = trust_parameters(repository)
    if environment == PREVIEW:
        print(
            shlex.join(preview_role_command(parameters, read_settings(PARAMETERS / f"{PREVIEW}.json").region))
        )
        return
    print(" ".join(f"{key}={value}" for key, value in parameters.items()))
    if dry_run:
        return
    path = PARAMETERS / f"{environment}.json"
    print(f"{path.name}: {'written' if write_trust(path, parameters) else 'unchanged'}.")


def _send(repository: Repository, calls: Sequence[Call], dry_run: bool) -> None:
    for call in calls:
        print(f"{'Would send' if dry_run else 'Sending'} {call}")
        if not dry_run:
            send(repository, call)
    if not calls:
        print("Nothing to do.")


def this_run(environment: Mapping[str, str]) -> str:
    """Return the URL of this workflow run, or a text if the command does not run in a workflow."""
    run = environment.get("GITHUB_RUN_ID")
    if not run:
        return "a run outside of GitHub"
    return f"{environment['GITHUB_SERVER_URL']}/{environment['GITHUB_REPOSITORY']}/actions/runs/{run}"


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} cannot be read: {error}",
            hint="Name a readable file in UTF-8, as in: make comment FILE=<file> MARK=<mark>",
        ) from error
    if not text.strip():
        raise UserError(f"{path} is empty", hint="Write the text of the comment to it")
    return text


def _from_standard_input(what: str) -> dict[str, Any]:
    try:
        content = json.load(sys.stdin)
    except ValueError as error:
        raise UserError(
            f"standard input ({what}) is not valid JSON: {error}",
            hint="Pass the output of the command before, as the Makefile does",
        ) from error
    if not isinstance(content, dict):
        raise UserError(
            f"standard input ({what}) holds no JSON object",
            hint="Pass the output of the command before, as the Makefile does",
        )
    return content


def _environment(text: str) -> str:
    if text == PREVIEW and has_previews():
        return PREVIEW
    try:
        environment = Environment(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if environment.is_preview:
        raise argparse.ArgumentTypeError(f"all previews share one environment on GitHub: {PREVIEW}")
    return environment


def _mark(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", text):
        raise argparse.ArgumentTypeError(f"{text!r}: use lower-case letters, digits and hyphens")
    return text


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("-v", "--verbose", action="store_true", help="show the traceback of an error")
    parser = argparse.ArgumentParser(
        prog="python -m helpers.github",
        description="Manages the repository on GitHub, with GITHUB_TOKEN, and its workflows.",
        allow_abbrev=False,
    )
    add = parser.add_subparsers(dest="command", required=True, metavar="COMMAND").add_parser
    comment = add("comment", parents=[common], help="create or update a comment on the pull request")
    comment.add_argument("--file", type=Path, required=True, help="Markdown")
    comment.add_argument("--mark", type=_mark, required=True, help="identifies the comment")
    add(
        "drift-issue",
        parents=[common],
        help="open, update or close the issue, from the output of `drift --json`",
    )
    protect = add("protect", parents=[common], help="apply .github/rulesets")
    setup = add("setup", parents=[common], help="create an environment, from the output of `outputs --json`")
    setup.add_argument("--environment", type=_environment, required=True, help="its name")
    setup.add_argument("--reviewer", dest="reviewers", action="append", default=[], help="user or owner/team")
    trust = add("trust", parents=[common], help="write the trust parameters of an environment")
    trust.add_argument("--environment", type=_environment, required=True, help="whose parameters")
    add(
        "environments",
        parents=[common],
        help="list the environments to which merges are deployed, in promotion order",
    )
    add("check-inputs", parents=[common], help="validate the inputs of a workflow in INPUT_… variables")
    workflows = add(
        "workflows", parents=[common], help="generate the lists of environments in .github/workflows"
    )
    workflows.add_argument("--check", action="store_true", help="only report differences")
    for changing in (protect, setup, trust):
        changing.add_argument("--dry-run", action="store_true", help="only print the requests")
    return parser


if __name__ == "__main__":
    sys.exit(main())
