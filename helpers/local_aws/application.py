"""The WSGI application: routes each request to the execution plane, IAM's simulation or moto."""

import io
import json
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from helpers.errors import UserError
from helpers.local_aws import http
from helpers.local_aws.api.operations import answer
from helpers.local_aws.api.response import ACCOUNT, ApiError
from helpers.local_aws.credentials import Credentials
from helpers.local_aws.fault_injection import FAULTS_PATH, INJECTION
from helpers.local_aws.hadoop.clusters import CLUSTERS
from helpers.local_aws.server_state import HEALTH_PATH, new_credentials
from helpers.local_aws.service_clients import ServiceClients
from helpers.service_models import share_with_all_sessions

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from helpers.local_aws.execution_plane import ExecutionPlane, RegionState

_LEAST_JOBS = 4
"""Minimum number of jobs that run at the same time, regardless of the number of cores."""
_KMS_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"

_log = logging.getLogger(__name__)


class EmbeddedAws:
    """Routes SageMaker requests to an execution plane per region, and requests of other services to moto.

    A request must be signed with the credentials of this server, or with credentials that it has issued
    (AssumeRole, CreateAccessKey). Other requests are rejected as AWS rejects them. The signature itself is
    not verified: only this server issues key IDs.
    """

    def __init__(self, endpoint: str, credentials: Credentials, folder: Path):
        share_with_all_sessions()
        self._credentials = credentials
        # Separate credentials: AWS does not throttle itself.
        self._own_credentials = new_credentials()
        self._clients = ServiceClients(endpoint, self._own_credentials, self)
        self._moto = _moto()
        # Imports moto, which _moto() has configured.
        from helpers.local_aws.jobs.runner import JobRunner  # noqa: PLC0415

        slots = max(_LEAST_JOBS, os.cpu_count() or 1)
        self._runner = JobRunner(self._clients, folder, slots, self._changed)
        self.on_change: Callable[[], object] = lambda: None
        """Called when a job or an execution changes its status, which happens without a request."""
        self._planes: dict[str, ExecutionPlane] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Stop all executions and jobs."""
        for plane in self._planes.values():
            plane.close()
        CLUSTERS.close()

    def state(self) -> "dict[str, RegionState]":
        """Return the state of the execution planes by region."""
        return {region: plane.state() for region, plane in list(self._planes.items())}

    def restore(self, state: "Mapping[str, RegionState]") -> None:
        """Restore the state of a stopped server."""
        for region, each in state.items():
            self._plane(region).restore(each)

    def is_own(self, environ: "WSGIEnvironment") -> bool:
        """Return whether the embedded AWS itself sends a request."""
        return http.signer(environ).access_key == self._own_credentials.access_key

    def _changed(self) -> None:
        self.on_change()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Respond to a request; an unexpected failure is returned as an error of the service."""
        if environ.get("PATH_INFO") == HEALTH_PATH:
            return http.respond(start_response, "200 OK", {"pid": os.getpid()})
        if environ.get("PATH_INFO") == FAULTS_PATH:
            return self._set_faults(environ, start_response)
        signer = http.signer(environ)
        if not self._knows(signer.access_key):
            return http.reject_credentials(environ, start_response, signer.service)
        if signer.access_key != self._own_credentials.access_key:
            if INJECTION.throttles():
                return http.throttle(environ, start_response, signer.service)
            if _expired(signer.access_key):
                return http.reject_expired(environ, start_response, signer.service)
        try:
            return self._answer(signer, environ, start_response)
        except ApiError as error:
            return http.fail(environ, start_response, signer.service, error.code, str(error))
        except Exception as error:
            _log.exception("%s failed", http.describe(environ))
            message = f"The embedded AWS failed: {error!r}. Its log has the traceback"
            return http.fail(environ, start_response, signer.service, "InternalFailure", message)

    def _answer(
        self, signer: http.Signer, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        service, _, name = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")
        if service == "SageMaker":
            plane = self._plane(signer.region)
            status, body = answer(plane.operations, name, _read(environ), _role_of(signer.access_key))
            return http.respond(start_response, status, body)
        if signer.service == "sagemaker" and (name := http.invoked_endpoint(environ)):
            return self._invoke(signer, name, environ, start_response)
        if signer.service == "sts":
            _reject_other_accounts(_query(environ))
        if signer.service == "iam" and (query := _query(environ)).get("Action") == "SimulatePrincipalPolicy":
            from helpers.local_aws.access.simulation import simulate_principal_policy  # noqa: PLC0415

            return http.respond(start_response, "200 OK", simulate_principal_policy(query))
        return self._moto(environ, _for_s3a(environ, start_response))

    def _invoke(
        self, signer: http.Signer, name: str, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        from helpers.local_aws.endpoints.endpoints import Invocation, ModelError  # noqa: PLC0415

        invocation = Invocation(
            name,
            _read(environ),
            environ.get("CONTENT_TYPE") or None,
            environ.get("HTTP_ACCEPT"),
            environ.get("HTTP_X_AMZN_SAGEMAKER_TARGET_VARIANT"),
        )
        try:
            endpoints = self._plane(signer.region).endpoints
            answer, variant = endpoints.invoke(invocation, _role_of(signer.access_key))
        except ModelError as error:
            body = {
                "Message": str(error),
                "OriginalStatusCode": error.status,
                "OriginalMessage": error.body,
            }
            headers = [("x-amzn-ErrorType", "ModelError")]
            return http.respond(start_response, "424 Failed Dependency", body, headers)
        headers = [("x-Amzn-Invoked-Production-Variant", variant)]
        return http.respond_bytes(start_response, answer.content_type, answer.body, headers)

    def _plane(self, region: str) -> "ExecutionPlane":
        from helpers.local_aws.execution_plane import ExecutionPlane  # noqa: PLC0415 - imports moto

        with self._lock:
            if region not in self._planes:
                self._planes[region] = ExecutionPlane(self._clients, self._runner, region)
            return self._planes[region]

    def _knows(self, key: str) -> bool:
        own = {self._credentials.access_key, self._own_credentials.access_key}
        return key in own or _is_issued(key)

    def _set_faults(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Change the injected faults; requires the secret key of the server."""
        given = environ.get("HTTP_AUTHORIZATION", "")
        if not secrets.compare_digest(given, f"Bearer {self._credentials.secret_key}"):
            return http.respond(start_response, "403 Forbidden", {"message": "The secret key is missing."})
        try:
            INJECTION.faults = INJECTION.faults.updated(json.loads(_read(environ)))
        except (UserError, ValueError) as error:
            return http.respond(start_response, "400 Bad Request", {"message": str(error)})
        return http.respond(start_response, "200 OK", asdict(INJECTION.faults))


def _moto() -> "WSGIApplication":
    # No web page may call this server from a browser. moto reads the variable when it is imported.
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    from helpers.local_aws.moto_extensions.server import moto_application  # noqa: PLC0415 - imports moto

    return moto_application()


def _role_of(key: str) -> str | None:
    """Return the ARN of the role of a session's access key."""
    from moto.backends import get_backend  # noqa: PLC0415 - moto is configured before it is imported

    session = get_backend("sts")[ACCOUNT]["aws"].get_assumed_role_from_access_key(key)
    return None if session is None else str(session.role_arn)


def _expired(key: str) -> bool:
    """Return whether a key belongs to a role session that has expired early because of injected faults."""
    from moto.backends import get_backend  # noqa: PLC0415 - moto is configured before it is imported

    if not INJECTION.faults.session_seconds:
        return False
    session = get_backend("sts")[ACCOUNT]["aws"].get_assumed_role_from_access_key(key)
    return session is not None and INJECTION.is_expired(session.access_key.create_date.replace(tzinfo=UTC))


def _is_issued(key: str) -> bool:
    """Return whether moto issued a key to a role session or a user."""
    from moto.backends import get_backend  # noqa: PLC0415 - moto is configured before it is imported

    if get_backend("sts")[ACCOUNT]["aws"].get_assumed_role_from_access_key(key):
        return True
    users = get_backend("iam")[ACCOUNT]["aws"].users.values()
    return any(key == issued.access_key_id for user in users for issued in user.access_keys)


def _reject_other_accounts(query: dict[str, str]) -> None:
    """Raise an ApiError for a role of another account: moto would issue credentials that act in this one."""
    role = query.get("RoleArn", "")
    account = [*role.split(":"), *[""] * 5][4]
    if role and account != ACCOUNT:
        raise ApiError(
            "AccessDenied",
            f"User is not authorized to perform: sts:{query.get('Action')} on resource: {role}; the embedded "
            f"AWS has the account {ACCOUNT} only",
        )


def _read(environ: "WSGIEnvironment") -> bytes:
    """Return the body of a request, and keep it readable."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _query(environ: "WSGIEnvironment") -> dict[str, str]:
    """Return the parameters of a request of the query protocol."""
    return dict(parse_qsl(_read(environ).decode() or environ.get("QUERY_STRING", "")))


def _for_s3a(environ: "WSGIEnvironment", start_response: "StartResponse") -> "StartResponse":
    """Hide the encryption key of an object from the S3A connector.

    When S3A copies an object, it names the key, and the AWS SDK for Java rejects a named key without TLS,
    which loopback does not use. If the key is not named, the copy is encrypted with the bucket's own key.
    """
    if "Hadoop" not in environ.get("HTTP_USER_AGENT", ""):
        return start_response

    def respond(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
        kept = [header for header in headers if header[0].lower() != _KMS_KEY_HEADER]
        return start_response(status, kept, *error)

    return respond
