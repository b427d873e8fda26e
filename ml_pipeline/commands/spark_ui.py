"""Show the Spark UI of a step."""

import argparse
import signal
import threading
import webbrowser

from rich.console import Console

from helpers.command_line import print_line
from helpers.spark import history_server
from ml_pipeline.commands import options
from ml_pipeline.project import open_project
from ml_pipeline.spark.event_logs import newest_log


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipeline(parser)
    options.add_step(parser)
    options.add_execution(parser)
    parser.add_argument(
        "--port",
        type=int,
        default=18080,
        help="port on loopback; 0 selects a free one (default: %(default)s)",
    )
    parser.add_argument("--browse", action="store_true", help="open it in the browser")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Start Spark's history server for the logs of a step; Ctrl-C or SIGTERM stops it."""
    project = open_project(arguments.env, arguments.pipeline)
    log = newest_log(project, arguments.execution, arguments.step)
    server = history_server.on_s3(log.folder, project.session, arguments.port)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def ready(address: str) -> None:
        print_line(console, f"Spark UI of step {log.step}: {address}\nCtrl-C ends it.")
        if arguments.browse:
            webbrowser.open(address)

    print_line(console, f"Starting Spark's history server on {log.folder} …")
    try:
        history_server.serve(server, ready, stop, log.application_id)
    except KeyboardInterrupt:
        print_line(console, "Ended.")
    return 0
