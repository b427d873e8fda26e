"""Check an account before the first deployment."""

import argparse

from rich.console import Console

from helpers.aws import connect
from helpers.command_line import say
from ml_pipeline.review.doctor import examine, to_do


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Add nothing: it is about an environment."""


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show what each check has found, and end with what to do; return 1 if there is something before plan."""
    findings = []
    for finding in examine(arguments.env, connect):
        findings.append(finding)
        say(console, f"{finding.check:<14} {finding.said}")
    steps = to_do(findings)
    say(console, "\nTo do:" if steps else "\nNothing to do.")
    for number, step in enumerate(steps, 1):
        say(console, f"{number}. {step}")
    return 1 if any(finding.to_do for finding in findings if finding.check != "stacks") else 0
