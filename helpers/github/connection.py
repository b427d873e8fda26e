"""The connection to GitHub, with a token from the environment variables, which is never printed."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from github import Auth, Github, GithubException
from github.Consts import DEFAULT_BASE_URL
from github.Repository import Repository
from requests import RequestException

from helpers.errors import UserError
from helpers.project_settings import project_settings

_REPOSITORY = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9._-]{1,100}")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def open_repository(environment: Mapping[str, str]) -> Repository:
    """Return the repository in GITHUB_REPOSITORY, by default that in infra/project.json; send no request yet.

    Args:
        environment: environment variables: GITHUB_TOKEN; in a workflow also GITHUB_REPOSITORY and
            GITHUB_API_URL.

    Raises:
        UserError: the token is missing, or a variable is not valid.
    """
    token = environment.get("GITHUB_TOKEN", "")
    name = environment.get("GITHUB_REPOSITORY") or project_settings().repository
    url = environment.get("GITHUB_API_URL") or DEFAULT_BASE_URL
    if not token:
        raise UserError(
            "GITHUB_TOKEN is not set",
            hint="Set it to a fine-grained token that expires soon; in a workflow, set it for this step "
            "alone",
        )
    if not _REPOSITORY.fullmatch(name):
        raise UserError(
            f"GITHUB_REPOSITORY is {name!r}, which is not owner/name",
            hint="Set it to owner/name, as octo-org/forecasts",
        )
    address = urlsplit(url)
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        raise UserError(
            f"GITHUB_API_URL is {url}, and a token is sent over https only",
            hint="Set it to an address that starts with https://",
        )
    github = Github(auth=Auth.Token(token), base_url=url.rstrip("/"), lazy=True)
    return github.get_repo(name)


_HINTS = {
    401: "Create another token: this one is invalid or has expired",
    403: "Give the token the permission that it lacks; in a workflow, see the job's permissions",
    404: "Check the name, and that the token can see it",
}
"""Hints by HTTP status."""


@contextmanager
def github_errors() -> Iterator[None]:
    """Convert errors of GitHub to a UserError with a hint.

    Raises:
        UserError: GitHub rejects a request, or does not answer.
    """
    try:
        yield
    except GithubException as error:
        data = error.data if isinstance(error.data, dict) else {}
        reason = data.get("message") or error.message or "no reason given"
        raise UserError(
            f"GitHub rejects the request ({error.status}): {reason}", hint=_HINTS.get(error.status, "")
        ) from error
    except RequestException as error:
        raise UserError(
            f"GitHub does not answer: {error}",
            hint="Check the network and https://www.githubstatus.com, then run the command again",
        ) from error
