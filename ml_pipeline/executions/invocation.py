"""How a person calls our commands, for messages that name one."""

from helpers.environments import Environment


def invocation(environment: Environment, *words: str) -> str:
    """Return a command line that works as it stands; the embedded AWS sets its variables itself."""
    command, *options = words
    prefix = "python -m helpers.local_aws exec -- " if environment == "local" else ""
    return " ".join([f"{prefix}python -m ml_pipeline {command} --env {environment}", *options])
