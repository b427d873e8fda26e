"""The role of a workflow is assumed again when its session ends, each time with a new token of GitHub."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from helpers.aws import Session
from helpers.errors import UserError
from helpers.workflow_credentials import identity_token

ROLE = "arn:aws:iam::123456789012:role/deploy"
ANSWER = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult>
<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/deploy/run-77</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>{end:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class Services(ThreadingHTTPServer):
    """GitHub, which issues tokens, and AWS STS, which accepts each of them once."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.given: list[str] = []
        self.sessions: list[dict[str, list[str]]] = []
        self.session = timedelta(hours=1)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Services

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        if self.headers.get("Authorization") != "Bearer secret" or asked["audience"] != ["sts.amazonaws.com"]:
            self._answer(403, "{}")
            return
        self.server.given.append(f"token-{len(self.server.given)}")
        self._answer(200, json.dumps({"value": self.server.given[-1]}))

    def do_POST(self) -> None:
        request = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.sessions.append(request)
        end = datetime.now(UTC) + self.server.session
        self._answer(200, ANSWER.format(key=f"ASIA{len(self.server.sessions):016}", end=end))

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def services() -> Iterator[Services]:
    server = Services()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def variables(services: Services) -> dict[str, str]:
    """The variables that GitHub sets for a job with the permission to request tokens."""
    return {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{services.url}/token?api-version=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret",
        "GITHUB_RUN_ID": "77",
    }


@pytest.fixture
def job(
    aws: boto3.Session, services: Services, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Services:
    """A workflow job that names the role."""
    for name, value in {
        **variables,
        "ROLE_TO_ASSUME_AGAIN": ROLE,
        "AWS_ENDPOINT_URL_STS": services.url,
    }.items():
        monkeypatch.setenv(name, value)
    return services


@pytest.mark.parametrize(("minutes", "sessions"), [(60, 1), (5, 3)])
def test_the_role_is_assumed_when_it_is_needed_and_again_before_its_session_ends(
    job: Services, minutes: int, sessions: int
) -> None:
    job.session = timedelta(minutes=minutes)
    session = Session()
    assert job.given == [], "nothing is asked for before it is needed"

    keys = {session.get_credentials().get_frozen_credentials().access_key for _ in range(3)}

    assert len(keys) == len(job.sessions) == sessions
    assert [
        (each["Action"], each["RoleArn"], each["WebIdentityToken"], each["RoleSessionName"])
        for each in job.sessions
    ] == [(["AssumeRoleWithWebIdentity"], [ROLE], [token], ["run-77"]) for token in job.given]


@pytest.mark.parametrize("missing", ["ROLE_TO_ASSUME_AGAIN", "ACTIONS_ID_TOKEN_REQUEST_URL"])
def test_elsewhere_a_session_has_the_credentials_of_its_shell(
    job: Services, aws: boto3.Session, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delenv(missing)

    assert Session().get_credentials().access_key == aws.get_credentials().access_key  # type: ignore[union-attr]
    assert job.given == []


def test_a_missing_permission_of_a_job_is_named(variables: dict[str, str]) -> None:
    message = r"no OIDC token for this job: .*403.*\nHint: Give the job the permission id-token: write"
    with pytest.raises(UserError, match=message):
        identity_token({**variables, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "other"})
