"""Credentials for GitHub workflows: the role is assumed again when its session expires.

A session of a role lasts one hour, and a workflow job up to six hours. A job can request OIDC tokens from
GitHub at any time, and AWS exchanges each for a new session of the role.
https://docs.github.com/en/actions/reference/security/oidc
"""

import json
import os
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from botocore.credentials import (
    AssumeRoleWithWebIdentityCredentialFetcher,
    CredentialProvider,
    DeferredRefreshableCredentials,
)

from helpers.errors import UserError

if TYPE_CHECKING:
    from botocore.session import Session

ROLE = "ROLE_TO_ASSUME_AGAIN"
"""The variable with the ARN of the role."""
_ADDRESS, _SECRET = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_TIMEOUT_SECONDS = 30


def assume_again(session: "Session", environment: Mapping[str, str] = os.environ) -> None:
    """Configure a session to assume the role in ROLE_TO_ASSUME_AGAIN, and again whenever credentials expire.

    Args:
        session: a botocore session that has not created a client yet.
        environment: environment variables; without the role, and outside of a workflow, the session is not
            changed.
    """
    if environment.get(ROLE) and _ADDRESS in environment:
        session.get_component("credential_provider").insert_before("env", _Provider(session, environment))


class _Provider(CredentialProvider):
    METHOD = "github-workflow"
    CANONICAL_NAME = "GitHubWorkflow"

    def __init__(self, session: "Session", environment: Mapping[str, str]):
        super().__init__()
        self._fetcher = AssumeRoleWithWebIdentityCredentialFetcher(
            client_creator=session.create_client,
            web_identity_token_loader=lambda: identity_token(environment),
            role_arn=environment[ROLE],
            extra_args={"RoleSessionName": f"run-{environment.get('GITHUB_RUN_ID', 'unknown')}"},
        )

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._fetcher.fetch_credentials, self.METHOD)


def identity_token(environment: Mapping[str, str]) -> str:
    """Return a new OIDC token of the workflow job, which is valid for some minutes.

    Raises:
        UserError: GitHub does not return a token.
    """
    request = urllib.request.Request(  # noqa: S310 - GitHub's own address
        f"{environment[_ADDRESS]}&{urlencode({'audience': 'sts.amazonaws.com'})}",
        headers={"Authorization": f"Bearer {environment.get(_SECRET, '')}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            content: dict[str, Any] = json.load(answer)
        return str(content["value"])
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"GitHub returns no OIDC token for this job: {error!r}",
            hint="Give the job the permission id-token: write",
        ) from error
