"""Where boto3 sessions and clients come from: one place, so that no command can talk to the wrong account."""

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from helpers.environments import LOCAL, Environment
from helpers.errors import UserError
from helpers.service_models import LOADER

CLIENT_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10)


class Session(boto3.Session):
    """A session with one client for each service: to create one takes as long as several requests."""

    def __init__(self, region_name: str | None = None):
        core = botocore.session.get_session()
        core.register_component("data_loader", LOADER)
        core.set_default_client_config(CLIENT_CONFIG)
        super().__init__(botocore_session=core, region_name=region_name)
        # Each session of boto3 adds its folder to the loader again.
        LOADER.search_paths[:] = dict.fromkeys(LOADER.search_paths)
        self._clients: dict[str, Any] = {}

    def client(self, service_name: str, **arguments: Any) -> Any:  # type: ignore[override]  # overloads by service
        """Return the client of a service; one with arguments of its own is created each time."""
        if arguments:
            return super().client(service_name, **arguments)  # type: ignore[call-overload]
        if service_name not in self._clients:
            self._clients[service_name] = super().client(service_name)  # type: ignore[call-overload]
        return self._clients[service_name]


def connect(environment: Environment, region: str | None = None) -> boto3.Session:
    """Return a session for an environment in its region.

    `local` is the embedded AWS and must have its endpoint: without one, the same commands would
    change whatever account the ambient credentials belong to.

    Args:
        environment: the environment.
        region: its region; by default that of its file in infra/parameters/.

    Raises:
        UserError: `local` without AWS_ENDPOINT_URL, or another environment while another region is set.
    """
    region = region or environment.settings.region
    if environment != LOCAL:
        _refuse_another_region(environment, region)
    elif not os.environ.get("AWS_ENDPOINT_URL"):
        raise UserError(
            "ENV=local needs the embedded AWS, and AWS_ENDPOINT_URL is not set. "
            'Use the make targets, or first: make up && eval "$(make -s env)"'
        )
    return Session(region)


def _refuse_another_region(environment: Environment, region: str) -> None:
    """Raise a UserError if a region is set that is not the environment's: one of the two is a mistake."""
    said = {name: os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION")}
    if not any(said.values()):
        said = {"region in the AWS profile": botocore.session.get_session().get_scoped_config().get("region")}
    for name, found in said.items():
        if found and found != region:
            raise UserError(
                f"{name} is {found}, but {environment} runs in {region}. Unset it; or, to move the "
                f"environment, set Region in infra/parameters/{environment.file}"
            )
