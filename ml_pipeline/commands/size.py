"""Size Spark for a step's instances."""

import argparse

from rich.console import Console

from helpers.errors import UserError
from helpers.spark.sizing.command import add_arguments as add_sizing_arguments
from helpers.spark.sizing.command import show_sizes
from ml_pipeline.commands import options
from ml_pipeline.params.files import SPARK, step_instances
from ml_pipeline.pipelines import find_pipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipeline(parser)
    options.add_step(parser)
    add_sizing_arguments(parser, required=False)


def run(arguments: argparse.Namespace, _: Console) -> int:
    """Explain the sizes for the instances of a step, by default the first, or for given instances.

    Raises:
        UserError: the step does not exist.
    """
    find_pipeline(arguments.pipeline)
    instances = step_instances(arguments.env, arguments.pipeline)
    steps = {name: each for name, each in instances.items() if each.step_type == SPARK}
    name = arguments.step or next(iter(steps))
    if name not in steps:
        raise UserError(
            f"unknown step {name!r} of pipeline {arguments.pipeline}; expected one of {', '.join(steps)}",
            hint=f"Name one of them, or add the step with: make new-step PIPELINE={arguments.pipeline} "
            f"NAME={name}",
        )
    arguments.instance = arguments.instance or steps[name].instance_type
    arguments.count = arguments.count or steps[name].instance_count
    return show_sizes(arguments)
