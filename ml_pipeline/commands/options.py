"""Options that several commands share."""

import argparse
import re

from ml_pipeline.executions.target import ALL
from ml_pipeline.params import DEFAULT_PIPELINE

EXECUTION_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:pipeline/[^/]+/execution/[a-z0-9]{12}"
)


def add_pipeline(parser: argparse.ArgumentParser) -> None:
    """Add `--pipeline` for one pipeline."""
    parser.add_argument(
        "--pipeline", default=DEFAULT_PIPELINE, metavar="NAME", help="the pipeline (default: %(default)s)"
    )


def add_pipelines(parser: argparse.ArgumentParser, default: str = DEFAULT_PIPELINE) -> None:
    """Add `--pipeline` for one or all pipelines."""
    parser.add_argument(
        "--pipeline",
        default=default,
        metavar="NAME",
        help=f"the pipeline, or {ALL} (default: %(default)s)",
    )


def add_step(parser: argparse.ArgumentParser) -> None:
    """Add `--step`."""
    parser.add_argument("--step", metavar="NAME", help="the step (default: all, or the last one with a log)")


def add_execution(parser: argparse.ArgumentParser) -> None:
    """Add `--execution`."""
    parser.add_argument(
        "--execution", type=_execution_arn, metavar="ARN", help="an execution (default: the latest)"
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add `--model` for a version in the registry."""
    parser.add_argument(
        "--model", type=count, required=True, metavar="N", help="a version listed by `models`"
    )


def count(text: str) -> int:
    """Return a positive integer, for `add_argument(type=count)`.

    Raises:
        argparse.ArgumentTypeError: the text is not one.
    """
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _execution_arn(text: str) -> str:
    if not EXECUTION_ARN.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the ARN of a pipeline execution")
    return text
