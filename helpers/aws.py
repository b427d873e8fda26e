"""Creates boto3 sessions and clients in one place, so that no command can use the wrong account."""

import os
import sys
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config

from helpers.environments import LOCAL, Environment
from helpers.errors import UserError
from helpers.service_models import LOADER
from helpers.timestamps import read_time
from helpers.workflow_credentials import assume_again

ANY_ENVIRONMENT = "LOCAL_AWS_ANY_ENVIRONMENT"
"""If this variable is `yes`, every environment may use the embedded AWS. Tests set it."""

CLIENT_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 10}, connect_timeout=10)
"""Adaptive retries: a throttled client sends fewer requests, because all clients of an account share its
quota."""


class Session(boto3.Session):
    """A session that creates one client per service: creating a client takes as long as several requests."""

    def __init__(self, region_name: str | None = None):
        core = botocore.session.get_session()
        core.register_component("data_loader", LOADER)
        core.set_default_client_config(CLIENT_CONFIG)
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=read_time)
        assume_again(core)
        super().__init__(botocore_session=core, region_name=region_name)
        # Each boto3 session adds its folder to the search path of the shared loader again.
        LOADER.search_paths[:] = dict.fromkeys(LOADER.search_paths)
        self._clients: dict[str, Any] = {}

    def client(self, service_name: str, **arguments: Any) -> Any:  # type: ignore[override]  # overloads by service
        """Return the client of a service. A client with further arguments is created for each call."""
        if arguments:
            return super().client(service_name, **arguments)  # type: ignore[call-overload]
        if service_name not in self._clients:
            self._clients[service_name] = super().client(service_name)  # type: ignore[call-overload]
        return self._clients[service_name]


def connect(environment: Environment, region: str | None = None) -> boto3.Session:
    """Return a session for an environment in its region, and print its account and endpoint to stderr.

    `local` is the embedded AWS and needs AWS_ENDPOINT_URL: without it, the same commands would change the
    account that the shell has credentials for. Another environment must not have an endpoint on this
    machine: the shell is then configured for the embedded AWS, where the environment would seem empty.

    Args:
        environment: the environment.
        region: the region; by default that of the file of the environment in infra/parameters/.

    Raises:
        UserError: `local` has no AWS_ENDPOINT_URL; or another environment has an endpoint on this machine
            without LOCAL_AWS_ANY_ENVIRONMENT=yes, or the shell is configured for a different region.
        botocore.exceptions.ClientError: AWS rejects the credentials.
    """
    region = region or environment.settings.region
    if environment != LOCAL:
        _reject_another_region(environment, region)
        session = Session(region)
        _reject_loopback(environment, session)
        _print_target(environment, session)
        return session
    if not os.environ.get("AWS_ENDPOINT_URL"):
        raise UserError(
            "ENV=local needs the embedded AWS, and AWS_ENDPOINT_URL is not set",
            hint='Use the make targets, or run: make up && eval "$(make -s env)"',
        )
    return Session(region)


def _reject_loopback(environment: Environment, session: Session) -> None:
    """Raise a UserError if an endpoint of this machine would receive the requests for an environment."""
    if os.environ.get(ANY_ENVIRONMENT) == "yes":
        return
    endpoints = {"endpoint_url of the AWS profile": session.client("sts").meta.endpoint_url}
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        endpoints |= {name: url for name, url in os.environ.items() if name.startswith("AWS_ENDPOINT_URL")}
    for name, url in sorted(endpoints.items()):
        if _is_loopback(url):
            raise UserError(
                f"{name} is {url}, which is on this machine, but {environment} is on AWS",
                hint=f"Use another shell, or run: unset ${{!AWS_@}}. To use {environment} on the embedded "
                f"AWS, set {ANY_ENVIRONMENT}=yes",
            )


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _print_target(environment: Environment, session: Session) -> None:
    account = session.client("sts").get_caller_identity()["Account"]
    line = f"{environment}: account {account}, {session.region_name}"
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    _print_once(f"{line}, endpoint {endpoint}" if endpoint else line)


@cache
def _print_once(line: str) -> None:
    """Print a line once per command, to stderr, because stdout may be read by a program."""
    print(line, file=sys.stderr)


def _reject_another_region(environment: Environment, region: str) -> None:
    """Raise a UserError if the configured region is not that of the environment: one of them is a mistake."""
    regions = {name: os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION")}
    if not any(regions.values()):
        regions = {
            "region in the AWS profile": botocore.session.get_session().get_scoped_config().get("region")
        }
    for name, found in regions.items():
        if found and found != region:
            raise UserError(
                f"{name} is {found}, but {environment} runs in {region}",
                hint=f"Unset it. To move the environment, set Region in infra/parameters/{environment.file}",
            )
