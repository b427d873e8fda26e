"""The connection to GitHub, with a token that comes from the environment and is never shown."""

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
    """Return the repository that GITHUB_REPOSITORY names, else infra/project.json; no request is sent yet.

    Args:
        environment: GITHUB_TOKEN; in a workflow also GITHUB_REPOSITORY and GITHUB_API_URL.

    Raises:
        UserError: the token is missing, or one of the others cannot be used.
    """
    token = environment.get("GITHUB_TOKEN", "")
    name = environment.get("GITHUB_REPOSITORY") or project_settings().repository
    url = environment.get("GITHUB_API_URL") or DEFAULT_BASE_URL
    if not token:
        raise UserError(
            "GITHUB_TOKEN is not set. In a workflow, give it to this step alone; at a terminal, use a "
            "fine-grained token that expires soon."
        )
    if not _REPOSITORY.fullmatch(name):
        raise UserError(f"GITHUB_REPOSITORY is {name!r}: set it to owner/name")
    address = urlsplit(url)
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        raise UserError(f"GITHUB_API_URL is {url}: a token is sent over https only")
    github = Github(auth=Auth.Token(token), base_url=url.rstrip("/"), lazy=True)
    return github.get_repo(name)


@contextmanager
def github_errors() -> Iterator[None]:
    """Turn an error of GitHub into a message with its remedy.

    Raises:
        UserError: GitHub rejects a request, or does not answer.
    """
    try:
        yield
    except GithubException as error:
        data = error.data if isinstance(error.data, dict) else {}
        reason = data.get("message") or error.message or "no reason given"
        hint = {
            401: " The token is invalid or has expired.",
            403: " The token lacks a permission: in a workflow, see the job's permissions.",
            404: " It does not exist, or the token cannot see it.",
        }.get(error.status, "")
        raise UserError(f"GitHub rejects the request ({error.status}): {reason}.{hint}") from error
    except RequestException as error:
        raise UserError(f"GitHub does not answer: {error}") from error
