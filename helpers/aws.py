"""Where boto3 sessions and clients come from: one place, so that no command can talk to the wrong account."""

import os
import re

import boto3
import botocore.session
from botocore.config import Config

from helpers.errors import UserError

_PREVIEW = re.compile(r"pr-[1-9][0-9]{0,5}")

CLIENT_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10)


class Environment(str):
    """The name of an environment: a standing one, or `pr-<number>` for the preview of a pull request."""

    __slots__ = ()

    def __new__(cls, name: str) -> "Environment":
        """Return the name.

        Raises:
            ValueError: it is no name of an environment.
        """
        if name not in STANDING and not is_preview(name):
            raise ValueError(f"{name!r} is no environment; there are {', '.join(STANDING)} and pr-<number>")
        return super().__new__(cls, name)


STANDING = ("local", "dev", "staging", "prod")


def is_preview(environment: str) -> bool:
    """Return whether an environment is the preview of a pull request, which goes with it."""
    return _PREVIEW.fullmatch(environment) is not None


def file_of(environment: str) -> str:
    """Return the name of an environment's files of parameters; all previews share theirs."""
    return "preview.json" if is_preview(environment) else f"{environment}.json"


ENVIRONMENTS = tuple(map(Environment, STANDING))


def connect(environment: Environment) -> boto3.Session:
    """Return a session for an environment, after asking AWS who we are.

    `local` is the embedded AWS and must have its endpoint: without one, the same commands would
    change whatever account the ambient credentials belong to.

    Raises:
        UserError: `local` without AWS_ENDPOINT_URL.
        botocore.exceptions.BotoCoreError, ClientError: no credentials or region, or AWS refuses them.
    """
    if environment == "local" and not os.environ.get("AWS_ENDPOINT_URL"):
        raise UserError(
            "ENV=local needs the embedded AWS, and AWS_ENDPOINT_URL is not set. "
            'Use the make targets, or first: make up && eval "$(make -s env)"'
        )
    core = botocore.session.get_session()
    core.set_default_client_config(CLIENT_CONFIG)
    session = boto3.Session(botocore_session=core)
    session.client("sts").get_caller_identity()
    return session
