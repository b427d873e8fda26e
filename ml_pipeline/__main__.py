"""The command line: `python -m ml_pipeline COMMAND --env ENV`; `--help` names the commands."""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from helpers.command_line import common_options, run_command

if TYPE_CHECKING:
    from ml_pipeline.project import Project

EXECUTION_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:pipeline/[^/]+/execution/[a-z0-9]{12}"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    return run_command(_run, _parser().parse_args(arguments))


def _run(arguments: argparse.Namespace) -> int:
    # Here, so that --help and typos answer at once.
    from ml_pipeline import commands, planning, removal, versions  # noqa: PLC0415
    from ml_pipeline.project import open_project  # noqa: PLC0415

    # A log is not a terminal: there the lines may be as long as they need to be.
    console = Console(width=None if sys.stdout.isatty() else 200, soft_wrap=not sys.stdout.isatty())
    if arguments.command == "teardown":
        return removal.tear_down(
            arguments.env,
            console,
            ask=not arguments.yes,
            allow_protected=arguments.allow_protected,
            with_github=arguments.with_github,
        )
    if arguments.command == "check" and arguments.definition:
        return planning.check_file(arguments.definition, console)
    if arguments.command == "code-hash":
        return commands.tell_code_hash()
    if arguments.command == "plan":
        markdown = arguments.format == "markdown"
        return planning.plan_markdown(arguments.env) if markdown else planning.plan(arguments.env, console)
    if arguments.command == "sweep":
        from ml_pipeline.sweep import PARTS, sweep  # noqa: PLC0415

        return sweep(
            arguments.env,
            console,
            dry_run=arguments.dry_run,
            versions_kept=arguments.keep,
            parts=[arguments.only] if arguments.only else PARTS,
        )
    if arguments.command == "drift":
        return planning.drift(arguments.env, console, as_json=arguments.json)
    project = open_project(arguments.env)
    if arguments.command in {"events", "spark-ui", "tune"}:
        return _run_on_spark(arguments, project, console)
    on_project: dict[str, Callable[[], int]] = {
        "data": lambda: commands.data(project, console),
        "check": lambda: planning.check(project, console),
        "upsert": lambda: commands.upsert(project, console, code=arguments.code),
        "history": lambda: versions.show_history(
            project, console, as_json=arguments.json, all_versions=arguments.all
        ),
        "rollback": lambda: versions.rollback(project, console, arguments.to),
        "start": lambda: commands.start_execution(
            project, console, waiting=arguments.wait, use_cache=arguments.cache == "on"
        ),
        "stop": lambda: commands.stop_execution(project, console, arguments.execution),
        "verify": lambda: commands.verify(project, console),
        "logs": lambda: commands.show_logs(project, console, arguments.execution),
        "delete": lambda: removal.delete(project, console),
    }
    return on_project[arguments.command]()


def _run_on_spark(arguments: argparse.Namespace, project: "Project", console: Console) -> int:
    from ml_pipeline import event_logs, tuning  # noqa: PLC0415 - they import Spark's helpers

    match arguments.command:
        case "events":
            return event_logs.show_findings(project, console, arguments.execution, arguments.write)
        case "spark-ui":
            return event_logs.show_pages(
                project, console, arguments.execution, arguments.port, browse=arguments.browse
            )
        case _:
            return tuning.tune(project, console, arguments.rounds, arguments.pairs)


def _parser() -> argparse.ArgumentParser:
    common = common_options()
    parser = argparse.ArgumentParser(
        prog="python -m ml_pipeline", description="The pipeline of an environment.", allow_abbrev=False
    )
    add = parser.add_subparsers(dest="command", required=True, metavar="COMMAND").add_parser

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return add(name, help=text, description=text, parents=[common], allow_abbrev=False)

    command(
        "data",
        "upload the sample data: in local and previews always, in dev when there is none, elsewhere never",
    )
    checking = command("check", "check the controls of the pipeline's steps, as upsert does before all else")
    checking.add_argument(
        "--definition", type=Path, metavar="FILE", help="the JSON of any definition, instead of ours"
    )
    planning = command("plan", "show what upsert would change")
    planning.add_argument(
        "--format",
        choices=["text", "markdown"],
        default="text",
        help="markdown: with the stacks and the costs, for a comment (default: text)",
    )
    drift = command(
        "drift",
        "tell what of stacks and pipeline is not deployed, and what was changed by hand; then exit with 3",
    )
    drift.add_argument("--json", action="store_true", help="as JSON")
    command("code-hash", "print the hash of the code in this checkout")
    upserting = command("upsert", "stage the code and create or update the pipeline")
    upserting.add_argument(
        "--code", metavar="HASH", help="refuse, if the code of this checkout has another hash"
    )
    history = command("history", "tell what was upserted when, by whom, and how its last execution ended")
    history.add_argument("--json", action="store_true", help="as JSON")
    history.add_argument("--all", action="store_true", help="not only the newest versions")
    back = command("rollback", "register an earlier definition again")
    back.add_argument(
        "--to",
        metavar="TO",
        help="a version, or the beginning of a commit or a code hash (default: the last that succeeded)",
    )
    starting = command("start", "start an execution")
    starting.add_argument(
        "--wait", action=argparse.BooleanOptionalAction, default=True, help="follow it to its end (default)"
    )
    starting.add_argument(
        "--cache", choices=["on", "off"], default="on", help="off: run even if nothing changed (default: on)"
    )
    stopping = command("stop", "stop the execution that runs")
    command("verify", "check the report, the files and the encryption of the newest execution")
    logs = command("logs", "print the logs of the newest execution")
    events = command("events", "tell where the newest execution's time went, and what to change")
    events.add_argument("--write", type=Path, metavar="FILE", help="change this configuration.json so")
    pages = command("spark-ui", "show the Spark UI of the newest execution, until Ctrl-C")
    pages.add_argument("--port", type=int, default=18080, help="where; 0 takes any (default: %(default)s)")
    pages.add_argument("--browse", action="store_true", help="open it in the browser")
    tune = command("tune", "run, change the Spark settings, run again; keep what is faster")
    tune.add_argument(
        "--rounds", type=_count, default=5, metavar="N", help="changes to try (default: %(default)s)"
    )
    tune.add_argument(
        "--pairs", type=_count, default=2, metavar="N", help="runs of each side (default: %(default)s)"
    )
    for selecting in (stopping, logs, events, pages):
        selecting.add_argument("--execution", type=_execution_arn, metavar="ARN", help="this one instead")
    command("delete", "delete the pipeline; data, code and logs stay")
    sweeping = command("sweep", "remove expired previews of the project, and code that nothing uses any more")
    sweeping.add_argument("--dry-run", action="store_true", help="tell what would be removed, remove nothing")
    sweeping.add_argument("--only", choices=["previews", "code"], help="sweep nothing else")
    sweeping.add_argument(
        "--keep",
        type=_count,
        default=10,
        metavar="N",
        help="newest versions that keep their code (default: %(default)s)",
    )
    removal = command("teardown", "delete the pipeline and the stacks with the data in them")
    removal.add_argument("--yes", action="store_true", help="do not ask")
    removal.add_argument(
        "--allow-protected", action="store_true", help="also where the environment is protected"
    )
    removal.add_argument(
        "--with-github", action="store_true", help="also the stack of GitHub's roles, as an administrator"
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def _execution_arn(text: str) -> str:
    if not EXECUTION_ARN.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the ARN of a pipeline execution")
    return text


if __name__ == "__main__":
    sys.exit(main())
