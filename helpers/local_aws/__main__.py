"""The command line of the embedded AWS: `python -m helpers.local_aws up|down|env|serve`."""

import argparse
import os
import sys

from helpers.command_line import run_command
from helpers.errors import UserError
from helpers.local_aws import lifecycle
from helpers.local_aws.server_state import state_folder


def _up(_: argparse.Namespace) -> int:
    state, started = lifecycle.up(state_folder(), _port())
    print(f"The embedded AWS {'started' if started else 'runs'} at {state.endpoint} (process {state.pid}).")
    return 0


def _down(_: argparse.Namespace) -> int:
    ended = lifecycle.down(state_folder())
    print("The embedded AWS has ended." if ended else "The embedded AWS does not run.")
    return 0


def _env(_: argparse.Namespace) -> int:
    print(lifecycle.shell_exports(lifecycle.require(state_folder()), os.environ))
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    from helpers.local_aws.server import serve  # noqa: PLC0415 - importing moto takes a second

    serve(state_folder(), arguments.port, arguments.ready)
    return 0


def _port() -> int:
    """Return $LOCAL_AWS_PORT, or 0, with which the system chooses a free port."""
    text = os.environ.get("LOCAL_AWS_PORT", "0")
    if not text.isdecimal() or int(text) > 65535:
        raise UserError(f"LOCAL_AWS_PORT is {text!r}", hint="Set it to a port from 0 to 65535, or unset it")
    return int(text)


def main() -> int:
    """Run a command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m helpers.local_aws", description=__doc__)
    parser.add_argument("-v", "--verbose", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("up", help="start it, unless it is running").set_defaults(run=_up)
    commands.add_parser("down", help="stop it with all its jobs").set_defaults(run=_down)
    commands.add_parser("env", help="print shell commands that direct AWS programs to it").set_defaults(
        run=_env
    )
    serving = commands.add_parser("serve", help="serve in the foreground")
    serving.add_argument("--port", type=int, default=0, help="port on loopback (default: a free one)")
    serving.add_argument("--ready", type=int, help="file descriptor to write to when it is ready")
    serving.set_defaults(run=_serve)
    arguments = parser.parse_args()
    return run_command(arguments.run, arguments)


if __name__ == "__main__":
    sys.exit(main())
