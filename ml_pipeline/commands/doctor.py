"""Check an account before the first deployment."""

import argparse

from rich.console import Console

from helpers.aws import connect
from helpers.command_line import print_line
from ml_pipeline.review.doctor import actions, run_checks


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Add no options: the command checks an environment."""


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show the result of each check, then the remedies; return 1 if something is required before plan."""
    findings = []
    for finding in run_checks(arguments.env, connect):
        findings.append(finding)
        print_line(console, f"{finding.check:<14} {finding.message}")
    steps = actions(findings)
    print_line(console, "\nTo do:" if steps else "\nNothing to do.")
    for number, step in enumerate(steps, 1):
        print_line(console, f"{number}. {step}")
    return 1 if any(finding.actions for finding in findings if finding.check != "stacks") else 0
