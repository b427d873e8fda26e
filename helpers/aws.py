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
from helpers.workflow_credentials import assume_again

ANY_ENVIRONMENT = "LOCAL_AWS_ANY_ENVIRONMENT"
"""The variable that, set to yes, has any environment on the embedded AWS, as tests have it."""

CLIENT_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 10}, connect_timeout=10)
"""Adaptive: a client that is throttled sends less, as others in the account share its quota of requests."""


class Session(boto3.Session):
    """A session with one client for each service: to create one takes as long as several requests."""

    def __init__(self, region_name: str | None = None):
        core = botocore.session.get_session()
        core.register_component("data_loader", LOADER)
        core.set_default_client_config(CLIENT_CONFIG)
        assume_again(core)
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
    """Return a session for an environment in its region, after saying which account and endpoint it reaches.

    `local` is the embedded AWS and must have its endpoint: without one, the same commands would
    change whatever account the ambient credentials belong to. For any other environment an endpoint of this
    machine is a shell that was led to the embedded AWS, where the environment seems to be empty.

    Args:
        environment: the environment.
        region: its region; by default that of its file in infra/parameters/.

    Raises:
        UserError: `local` without AWS_ENDPOINT_URL, or another environment while another region is set, or
            with an endpoint of this machine that LOCAL_AWS_ANY_ENVIRONMENT does not ask for.
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
    """Raise a UserError if requests for an environment would silently stay on this machine."""
    if os.environ.get(ANY_ENVIRONMENT) == "yes":
        return
    endpoints = {"endpoint_url of the AWS profile": session.client("sts").meta.endpoint_url}
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        endpoints |= {name: url for name, url in os.environ.items() if name.startswith("AWS_ENDPOINT_URL")}
    for name, url in sorted(endpoints.items()):
        if _is_loopback(url):
            raise UserError(
                f"{name} is {url}, which is on this machine, but {environment} is in AWS",
                hint=f"Use another shell, or run: unset ${{!AWS_@}}. To have {environment} on the embedded "
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
    """Print a line to stderr, which leaves the output to programs, once for all sessions of a command."""
    print(line, file=sys.stderr)


def _reject_another_region(environment: Environment, region: str) -> None:
    """Raise a UserError if a region is set that is not the environment's: one of the two is a mistake."""
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
