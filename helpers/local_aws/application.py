"""The WSGI application: moto, and before it the operations that moto only pretends to do."""

import io
import json
import os
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response
from helpers.local_aws.api.shapes import request_problems
from helpers.local_aws.credentials import Credentials
from helpers.local_aws.pipelines.operations import PipelineOperations
from helpers.local_aws.processing.operations import ProcessingJobOperations
from helpers.local_aws.server_state import HEALTH_PATH
from helpers.local_aws.service_clients import ServiceClients

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_TARGET = "SageMaker."
_KMS_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/")


class EmbeddedAws:
    """Answers what the execution plane does itself and hands the rest to moto.

    A request must be signed with the credentials of this server or with some that it has issued
    (AssumeRole, CreateAccessKey); others are refused as AWS refuses them. The signature itself is
    not checked: whoever knows the key ID was given it by this server.
    """

    def __init__(self, endpoint: str, credentials: Credentials, folder: Path):
        self._credentials = credentials
        self._clients = ServiceClients(endpoint, credentials)
        self._folder = folder
        self._moto = _moto()
        self._regions: dict[str, tuple[PipelineOperations, ProcessingJobOperations]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Stop what runs."""
        for pipelines, jobs in self._regions.values():
            pipelines.close()
            jobs.close(timeout=10)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        if environ.get("PATH_INFO") == HEALTH_PATH:
            return _respond(start_response, "200 OK", {"pid": os.getpid()})
        key, region, service = _signer(environ)
        if not self._knows(key):
            return _refuse(environ, start_response, service)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith(_TARGET):
            answer = self._operation(target.removeprefix(_TARGET), region, key, environ)
            if answer is not None:
                status, body = answer
                return _respond(start_response, status, body)
        return self._moto(environ, _for_s3a(environ, start_response))

    def _operation(
        self, name: str, region: str, key: str, environ: "WSGIEnvironment"
    ) -> tuple[str, Mapping[str, Any]] | None:
        """Do an operation of the execution plane; None leaves it to moto."""
        from helpers.local_aws.studio import studio_of  # noqa: PLC0415 - imports moto

        pipelines, jobs = self._of_region(region)
        operations: dict[str, Callable[[Request], Response | None]] = {
            "CreatePipeline": pipelines.check_pipeline,
            "UpdatePipeline": pipelines.check_pipeline,
            "DeletePipeline": pipelines.forget_executions,
            "StartPipelineExecution": pipelines.start_pipeline_execution,
            "DescribePipelineExecution": pipelines.describe_pipeline_execution,
            "DescribePipelineDefinitionForExecution": pipelines.describe_pipeline_definition_for_execution,
            "ListPipelineParametersForExecution": pipelines.list_pipeline_parameters_for_execution,
            "ListPipelineExecutions": pipelines.list_pipeline_executions,
            "ListPipelineExecutionSteps": pipelines.list_pipeline_execution_steps,
            "StopPipelineExecution": pipelines.stop_pipeline_execution,
            "RetryPipelineExecution": pipelines.retry_pipeline_execution,
            "CreateProcessingJob": partial(jobs.create_processing_job, caller=_role_of(key)),
            "DescribeProcessingJob": jobs.describe_processing_job,
            "ListProcessingJobs": jobs.list_processing_jobs,
            "StopProcessingJob": jobs.stop_processing_job,
            **studio_of(region).operations(),
        }
        if name not in operations:
            return None
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            response = operations[name](_checked(name, body))
        except ApiError as error:
            return "400 Bad Request", {"__type": error.code, "message": str(error)}
        return None if response is None else ("200 OK", response)

    def _of_region(self, region: str) -> tuple[PipelineOperations, ProcessingJobOperations]:
        from helpers.local_aws.access.job_creation import check_job_creation  # noqa: PLC0415 - imports moto

        with self._lock:
            if region not in self._regions:
                slots = max(4, os.cpu_count() or 1)
                jobs = ProcessingJobOperations(self._clients, region, self._folder, slots, check_job_creation)
                self._regions[region] = (PipelineOperations(self._clients, region, jobs), jobs)
            return self._regions[region]

    def _knows(self, key: str) -> bool:
        return key == self._credentials.access_key or _issued(key)


def _checked(operation: str, body: bytes) -> Request:
    """Return a request that is of the operation's shape."""
    try:
        request: Request = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError("SerializationException", str(error)) from error
    problems = request_problems(operation, request)
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise ApiError("ValidationException", count + "; ".join(problems))
    return request


def _moto() -> "WSGIApplication":
    # No web page may call this server from a browser; moto reads the variable when it is imported.
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    from helpers.local_aws.moto_extensions.server import moto_application  # noqa: PLC0415 - imports moto

    return moto_application()


def _role_of(key: str) -> str | None:
    """Return the ARN of the role whose session a key belongs to."""
    from moto.backends import get_backend  # noqa: PLC0415 - moto is configured before it is imported

    session = get_backend("sts")[ACCOUNT]["aws"].get_assumed_role_from_access_key(key)
    return None if session is None else str(session.role_arn)


def _issued(key: str) -> bool:
    """Tell whether moto gave a key to a role session or a user."""
    from moto.backends import get_backend  # noqa: PLC0415 - moto is configured before it is imported

    if get_backend("sts")[ACCOUNT]["aws"].get_assumed_role_from_access_key(key):
        return True
    users = get_backend("iam")[ACCOUNT]["aws"].users.values()
    return any(key == issued.access_key_id for user in users for issued in user.access_keys)


def _signer(environ: "WSGIEnvironment") -> tuple[str, str, str]:
    """Return access key, region and service of a signed request, empty where it is not signed."""
    header = environ.get("HTTP_AUTHORIZATION", "")
    query = parse_qs(environ.get("QUERY_STRING", ""))
    presigned = query.get("X-Amz-Credential", [""])[0]
    if match := _CREDENTIAL.search(header) or _CREDENTIAL.search(f"Credential={presigned}"):
        return match["key"], match["region"], match["service"]
    # S3 still takes the signature of version 2, and boto3 presigns URLs with it.
    key = query.get("AWSAccessKeyId", [""])[0]
    return key, "us-east-1", "s3" if key else ""


def _for_s3a(environ: "WSGIEnvironment", start_response: "StartResponse") -> "StartResponse":
    """Keep from the S3A connector with which key an object is encrypted.

    S3A names that key when it copies the object, and the AWS SDK for Java refuses to name a key without
    TLS, which loopback does without. Not named, the copy is encrypted with the bucket's own key.
    """
    if "Hadoop" not in environ.get("HTTP_USER_AGENT", ""):
        return start_response

    def respond(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
        kept = [header for header in headers if header[0].lower() != _KMS_KEY_HEADER]
        return start_response(status, kept, *error)

    return respond


def _refuse(environ: "WSGIEnvironment", start_response: "StartResponse", service: str) -> Iterable[bytes]:
    """Refuse unknown credentials in the protocol of the service that was asked."""
    message = "The security token included in the request is invalid."
    if "HTTP_X_AMZ_TARGET" in environ:
        body: Mapping[str, Any] | str = {"__type": "UnrecognizedClientException", "message": message}
        return _respond(start_response, "400 Bad Request", body)
    if service in {"", "s3"}:
        body = (
            "<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided "
            "does not exist in our records.</Message></Error>"
        )
    else:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>"
            f"<Message>{message}</Message></Error></ErrorResponse>"
        )
    return _respond(start_response, "403 Forbidden", body)


def _respond(start_response: "StartResponse", status: str, body: Mapping[str, Any] | str) -> Iterable[bytes]:
    if isinstance(body, str):
        content, kind = body.encode(), "text/xml"
    else:
        content, kind = json.dumps(body, default=_as_json).encode(), "application/x-amz-json-1.1"
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(content))),
        ("x-amzn-RequestId", str(uuid.uuid4())),
    ]
    start_response(status, headers)
    return [content]


def _as_json(value: object) -> float:
    """Return a time as the JSON protocol has it, in seconds since 1970."""
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} is no part of a response")
