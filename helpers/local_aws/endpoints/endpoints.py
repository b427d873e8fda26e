"""Endpoints: created by `CreateEndpoint`, with their operations."""

import logging
import shutil
import threading
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from helpers.errors import UserError
from helpers.local_aws.access.authorization import authorize_action
from helpers.local_aws.access.creation import Creation, authorize_creation
from helpers.local_aws.api.listing import Listing
from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import ACCOUNT, ApiError, Request, Response
from helpers.local_aws.api.tags import Tags, checked_tags
from helpers.local_aws.endpoints.configurations import EndpointConfig, EndpointConfigs
from helpers.local_aws.endpoints.endpoint import Deployment, Endpoint
from helpers.local_aws.endpoints.request_checks import (
    ENDPOINT_MEMBERS,
    endpoint_not_emulated,
    endpoint_problems,
)
from helpers.local_aws.jobs.log import JobLog
from helpers.local_aws.jobs.runner import JobRunner
from helpers.local_aws.jobs.s3_data import DataError
from helpers.local_aws.models.artifacts import unpack_artifacts
from helpers.local_aws.models.container import container_problems
from helpers.local_aws.models.model_server import ModelServer, ServerAnswer, ServerError
from helpers.local_aws.models.models import Models
from helpers.local_aws.s3_objects import S3Objects
from helpers.local_aws.service_clients import ServiceClients

LOG_GROUP = "/aws/sagemaker/Endpoints"
_LISTING = Listing("Endpoints", "EndpointName", default_order="Descending", status="EndpointStatus")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Invocation:
    """An InvokeEndpoint request; `variant` is the TargetVariant, if given."""

    endpoint: str
    payload: bytes
    content_type: str | None
    accept: str | None
    variant: str | None = None


class ModelError(Exception):
    """The error response of a model's server."""

    def __init__(self, status: int, body: str, log_group: str):
        kind = "client" if status < 500 else "server"
        super().__init__(
            f'Received {kind} error ({status}) from primary with message "{body}". See {log_group} in '
            f"account {ACCOUNT} for more information."
        )
        self.status = status
        self.body = body


class Endpoints:
    """The endpoints of one region. After a restart, an endpoint's server starts with its first invocation."""

    def __init__(
        self,
        clients: ServiceClients,
        runner: JobRunner,
        region: str,
        configs: EndpointConfigs,
        models: Models,
    ):
        self._clients = clients
        self._runner = runner
        self._region = region
        self._configs = configs
        self._models = models
        self._lock = threading.Lock()
        self._endpoints: dict[str, Endpoint] = {}
        self._starting = threading.Lock()
        self._servers: dict[str, _Server] = {}
        """By endpoint name, like `_endpoints`."""

    def operations(self) -> Operations:
        """Return the operations by name."""
        name = members("EndpointName")
        return {
            "CreateEndpoint": Operation(self.create, ENDPOINT_MEMBERS, wants_caller=True),
            "DescribeEndpoint": Operation(
                lambda request: self.find(request["EndpointName"]).description(), name
            ),
            "ListEndpoints": Operation(self.list_endpoints, _LISTING.members),
            "UpdateEndpoint": Operation(
                self.update, members("EndpointConfigName", "EndpointName"), wants_caller=True
            ),
            "DeleteEndpoint": Operation(self.delete, name, wants_caller=True),
        }

    def close(self) -> None:
        """Stop all model servers."""
        for server in list(self._servers.values()):
            server.close()

    def state(self) -> Mapping[str, Endpoint]:
        """Return the endpoints, for another server to restore."""
        return self._endpoints

    def restore(self, state: Mapping[str, Endpoint]) -> None:
        """Restore the endpoints of a stopped server; those that were being created have failed."""
        self._endpoints.update(state)
        for endpoint in self._endpoints.values():
            if endpoint.status == "Creating":
                endpoint.settle("Failed", "The embedded AWS ended while this was created.")
            elif endpoint.status == "Updating":
                endpoint.settle("InService", "The embedded AWS ended while this was updated.")
            endpoint.settled.set()

    def create(self, request: Request, caller: str | None = None) -> Response:
        """Check a request as the service does, and start an endpoint."""
        problems = list(endpoint_problems(request))
        problems += [f"The embedded AWS does not support {what}" for what in endpoint_not_emulated(request)]
        if problems:
            raise ApiError("ValidationException", "; ".join(problems))
        name, tags = request["EndpointName"], checked_tags(request)
        deployment = self._deployment(self._configs.find(request["EndpointConfigName"]))
        self._authorize_creation(deployment, name, tags, caller)
        endpoint = Endpoint(name, self._arn(name), tags, deployment)
        with self._lock:
            if name.lower() in self._endpoints:
                raise ApiError(
                    "ValidationException", f'Cannot create already existing endpoint "{endpoint.arn}".'
                )
            self._endpoints[name.lower()] = endpoint
        self._deploy_in_background(endpoint, deployment)
        return {"EndpointArn": endpoint.arn}

    def update(self, request: Request, caller: str | None = None) -> Response:
        """Start a server for another configuration, which replaces the current one when it responds."""
        endpoint = self.find(request["EndpointName"])
        deployment = self._deployment(self._configs.find(request["EndpointConfigName"]))
        for arn in (endpoint.arn, deployment.config.arn):
            authorize_action(caller, "sagemaker:UpdateEndpoint", arn)
        with self._lock:
            self._check_settled(endpoint)
            endpoint.settled.clear()
            endpoint.status = "Updating"
        self._deploy_in_background(endpoint, deployment)
        return {"EndpointArn": endpoint.arn}

    def delete(self, request: Request, caller: str | None = None) -> Response:
        """Delete an endpoint and stop its server."""
        endpoint = self.find(request["EndpointName"])
        authorize_action(caller, "sagemaker:DeleteEndpoint", endpoint.arn)
        with self._lock:
            self._check_settled(endpoint)
            self._endpoints.pop(endpoint.name.lower(), None)
        server = self._servers.pop(endpoint.name.lower(), None)
        if server:
            server.close()
        return {}

    def list_endpoints(self, request: Request) -> Response:
        """Return the endpoints of the region, newest first by default."""
        return _LISTING.page([endpoint.summary() for endpoint in list(self._endpoints.values())], request)

    def find(self, name: str) -> Endpoint:
        """Return an endpoint by name.

        Raises:
            ApiError: ValidationException, which the service returns if the endpoint does not exist.
        """
        try:
            return self._endpoints[name.lower()]
        except KeyError:
            raise ApiError("ValidationException", f'Could not find endpoint "{self._arn(name)}".') from None

    def find_tags(self, arn: str) -> Tags | None:
        """Return the tags of the endpoint with an ARN, or None."""
        return next((each.tags for each in list(self._endpoints.values()) if each.arn == arn.lower()), None)

    def invoke(self, invocation: Invocation, caller: str | None = None) -> tuple[ServerAnswer, str]:
        """Return the response of the model, and the name of the variant.

        Raises:
            ApiError: the endpoint does not exist, it is not in service, or the caller may not invoke it.
            ModelError: the model returns an error.
        """
        endpoint = self._endpoints.get(invocation.endpoint.lower())
        if endpoint is None:
            message = f"Endpoint {invocation.endpoint} of account {ACCOUNT} not found."
            raise ApiError("ValidationError", message)
        authorize_action(caller, "sagemaker:InvokeEndpoint", endpoint.arn)
        name = endpoint.deployment.config.variant["VariantName"]
        if invocation.variant not in {None, name}:
            message = f"Variant {invocation.variant} not found for Request"
            raise ApiError("ValidationError", message)
        if endpoint.status not in {"InService", "Updating"}:
            message = f"Endpoint {endpoint.name} of account {ACCOUNT} is {endpoint.status}"
            raise ApiError("ValidationError", message)
        try:
            server = self._server(endpoint).model_server
            answer = server.send(invocation.payload, invocation.content_type, invocation.accept)
        except (ServerError, DataError, UserError) as error:
            raise ModelError(500, str(error), f"{LOG_GROUP}/{endpoint.name}") from error
        if answer.status >= 300:
            body = answer.body.decode(errors="replace")
            raise ModelError(answer.status, body, f"{LOG_GROUP}/{endpoint.name}")
        return answer, name

    def _deployment(self, config: EndpointConfig) -> Deployment:
        model = self._models.find(config.variant["ModelName"])
        if problems := list(container_problems(model.container, {})):
            raise ApiError("ValidationException", "; ".join(problems))
        vpc = model.request.get("VpcConfig") or {}
        role_arn = model.request["ExecutionRoleArn"]
        return Deployment(
            config, model.container, role_arn, vpc.get("Subnets") or (), vpc.get("SecurityGroupIds") or ()
        )

    def _authorize_creation(self, deployment: Deployment, name: str, tags: Tags, caller: str | None) -> None:
        creation = Creation(
            "sagemaker:CreateEndpoint",
            f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:endpoint/{name}",
            role_arn=deployment.role_arn,
            passes_role=False,
            subnets=deployment.subnets,
            security_groups=deployment.security_groups,
            tags=tags,
        )
        authorize_creation(creation, self._region, caller)
        authorize_action(caller, creation.action, deployment.config.arn)

    def _deploy_in_background(self, endpoint: Endpoint, deployment: Deployment) -> None:
        arguments = (endpoint, deployment)
        threading.Thread(target=self._deploy, args=arguments, name=endpoint.name, daemon=True).start()

    def _deploy(self, endpoint: Endpoint, deployment: Deployment) -> None:
        is_new, reason = endpoint.status == "Creating", ""
        variant = deployment.config.variant["VariantName"]
        try:
            server = self._start(endpoint, deployment)
        except ServerError:
            reason = (
                f"The primary container for production variant {variant} did not pass the ping health check. "
                "Please check CloudWatch logs for this endpoint."
            )
        except (DataError, UserError, ClientError, BotoCoreError) as error:
            reason = f"Failed to deploy the production variant {variant}: {error}"
        except Exception as error:  # the operation must always complete
            _log.exception("endpoint %s failed", endpoint.name)
            reason = f"InternalServerError: {error!r}"
        if reason:
            endpoint.settle("Failed" if is_new else "InService", reason)
        else:
            before = self._servers.get(endpoint.name.lower())
            self._servers[endpoint.name.lower()] = server
            endpoint.deployment = deployment
            endpoint.settle("InService")
            if before:
                before.close()
        self._runner.on_change()

    def _server(self, endpoint: Endpoint) -> "_Server":
        """Return the server of an endpoint; start it again after a restart."""
        with self._starting:
            name = endpoint.name.lower()
            if name not in self._servers:
                self._servers[name] = self._start(endpoint, endpoint.deployment)
            return self._servers[name]

    def _start(self, endpoint: Endpoint, deployment: Deployment) -> "_Server":
        logs = self._clients.of("logs", self._region)
        log = JobLog(logs, f"{LOG_GROUP}/{endpoint.name}", deployment.config.variant["VariantName"])
        folder = self._runner.folder / self._region / f"{endpoint.name}-{uuid.uuid4().hex[:8]}"
        return _Server(deployment, folder, log, self._clients.objects(self._region))

    def _check_settled(self, endpoint: Endpoint) -> None:
        if not endpoint.settled.is_set():
            raise ApiError("ValidationException", f'Cannot update in-progress endpoint "{endpoint.arn}".')

    def _arn(self, name: str) -> str:
        return f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:endpoint/{name.lower()}"


class _Server:
    """The model server of a deployment, with its own folder and log."""

    def __init__(self, deployment: Deployment, root: Path, log: JobLog, objects: S3Objects):
        """Raises ServerError, DataError, UserError and ClientError if it does not start to serve."""
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, root, ignore_errors=True)
            root.mkdir(parents=True)
            stack.enter_context(log)
            unpack_artifacts(objects, deployment.container.model_data_url, root)
            server = ModelServer(root, deployment.container.environment, log.write)
            self.model_server = stack.enter_context(server)
            self.model_server.ping()
            self._resources = stack.pop_all()

    def close(self) -> None:
        """Stop the server."""
        self._resources.close()
