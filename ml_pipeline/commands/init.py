"""Create a fork of the template: ask for its names and parts, and change the files."""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.prompt import Confirm, Prompt

from helpers.command_line import print_line
from helpers.errors import UserError
from helpers.files import read_json_object
from helpers.template.parts import parts_of
from helpers.template.record import FILE, read_record
from ml_pipeline.scaffolding.answers import QUESTIONS, Answers, answers_of, as_text, current_answers
from ml_pipeline.scaffolding.fork import fork_changes, record_answers
from ml_pipeline.scaffolding.sample_job import mentions

ROOT = Path(__file__).resolve().parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument(
        "--answers", type=Path, metavar="FILE", help=f"a JSON object of {', '.join(QUESTIONS)}"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="given", help="an answer; repeatable"
    )
    parser.add_argument(
        "--yes", action="store_true", help="do not ask; answers that are not given stay unchanged"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Read the answers, show the changes, and make them after confirmation."""
    now = current_answers(ROOT)
    wanted = _answers(arguments, now)
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise UserError(
                "Nobody can be asked here, as standard input is not a terminal",
                hint="Pass the answers: make init ARGS='--answers FILE --yes'",
            )
        wanted = _ask(console, wanted)
    changes = fork_changes(ROOT, wanted, record_answers(ROOT, read_record(ROOT), wanted))
    for verb, paths in (("Create", changes.created), ("Edit", changes.edited), ("Delete", changes.deleted)):
        for path in paths:
            print_line(console, f"{verb} {path}")
    if not arguments.yes and not Confirm.ask("Change these files?", console=console, default=True):
        print_line(console, "Nothing was changed.")
        return 1
    for _ in changes.apply():
        pass
    _regenerate(now, wanted)
    print_line(console, f"The answers are in {FILE}; change them with: make init")
    if wanted.Step and (pages := mentions(ROOT)):
        print_line(console, f"These pages still describe the template's sample: {', '.join(pages)}")
    print_line(console, "Next: make run")
    return 0


def _answers(arguments: argparse.Namespace, now: Answers) -> Answers:
    found = now
    if arguments.answers:
        found = answers_of(read_json_object(arguments.answers), found, str(arguments.answers))
    if arguments.given:
        found = answers_of(_pairs(arguments.given), found, "--set")
    return found


def _pairs(given: list[str]) -> Mapping[str, Any]:
    for pair in given:
        if "=" not in pair:
            raise UserError(
                f"--set {pair} is not a pair of name and value",
                hint="Write it NAME=VALUE, as Region=eu-west-1",
            )
    return dict(pair.split("=", 1) for pair in given)


def _ask(console: Console, answers: Answers) -> Answers:
    """Ask for each answer until it is valid."""
    for name, question in QUESTIONS.items():
        while True:
            default = as_text(getattr(answers, name))
            text = Prompt.ask(question.text, console=console, default=default)
            if text == default:  # the current value
                break
            try:
                answers = replace(answers, **{name: question.parse(text.strip())})
            except UserError as error:
                print_line(console, f"  {error.in_one_line()}")
            else:
                break
    return answers


def _regenerate(before: Answers, answers: Answers) -> None:
    """Regenerate the files that are derived from changed ones."""
    commands = [["helpers.github", "workflows"]]
    if answers.Step != before.Step:
        written = ["--write", "spark_jobs/configuration.json", "--report", "docs/spark-configuration.md"]
        commands += [["ml_pipeline", "size", "--step", answers.Step, "--shape", "python", *written]]
    if any(getattr(answers, part.answer) != getattr(before, part.answer) for part in parts_of(ROOT)):
        commands += [["tests.docs.reference"], ["tests.security.controls", "--write"]]
    for command in commands:
        # In a separate process, because this one has read the files before their changes.
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise UserError(
                f"python -m {' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}",
                hint="Correct the cause, then run: make init",
            )
