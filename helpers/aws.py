"""Where boto3 sessions and clients come from: one place, so that no command can talk to the wrong account."""

import os

import boto3
import botocore.session
from botocore.config import Config

from helpers.environments import Environment
from helpers.errors import UserError

CLIENT_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10)


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
