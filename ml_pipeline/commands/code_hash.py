"""Print the content hash of the Spark code."""

import argparse

from rich.console import Console

from ml_pipeline.commands import options
from ml_pipeline.executions.target import select_pipelines
from ml_pipeline.params import code_hashes
from ml_pipeline.project import combined_hash


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)


def run(arguments: argparse.Namespace, _: Console) -> int:
    """Print the hash, without requests to AWS."""
    names = [pipeline.name for pipeline in select_pipelines(arguments.pipeline)]
    print(combined_hash({name: combined_hash(code_hashes(arguments.env, name)) for name in names}))
    return 0
