"""Executions of pipelines: started by `StartPipelineExecution`, with their operations."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from helpers.local_aws.access.role_trust import RoleError, check_role_trust
from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import (
    ApiError,
    Request,
    Response,
    descending,
    page,
    with_values,
    within,
)
from helpers.local_aws.api.shapes import request_problems
from helpers.local_aws.api.tags import Tags
from helpers.local_aws.pipelines.callbacks import Callback, send_message
from helpers.local_aws.pipelines.definition import (
    DefinitionError,
    PipelineDefinition,
    not_executed,
    parameter_values,
)
from helpers.local_aws.pipelines.execution import (
    ExecutionContext,
    PipelineExecution,
    Selection,
    ServiceFaultError,
    StepResource,
    StepRun,
)
from helpers.local_aws.pipelines.execution_record import ExecutionRecord, step_summary
from helpers.local_aws.pipelines.expressions import ExpressionError
from helpers.local_aws.pipelines.names import new_execution_id, new_resource_name
from helpers.local_aws.pipelines.pipelines import Pipeline, Pipelines
from helpers.local_aws.pipelines.selection import SelectionError, reused_steps
from helpers.local_aws.pipelines.step_creators import Create, Requester
from helpers.local_aws.pipelines.step_requests import STEP_REQUESTS
from helpers.local_aws.pipelines.steps import Step
from helpers.local_aws.service_clients import ServiceClients
from helpers.s3 import parse

ExecutionsState = tuple[Mapping[str, ExecutionRecord], Mapping[tuple[str, str], str]]
"""Executions by ARN, and their ARNs by the client request tokens that started them."""


class PipelineExecutions:
    """The executions of one region's pipelines; `on_change` is called when a running one has changed."""

    def __init__(
        self,
        clients: ServiceClients,
        region: str,
        pipelines: Pipelines,
        creators: Mapping[str, Create],
        on_change: Callable[[], object],
        on_step_end: Callable[[StepRun, str, str], object],
    ):
        """Args: on_step_end: receives a step that has ended, and the ARNs of its pipeline and execution."""
        self._clients = clients
        self._on_change = on_change
        self._on_step_end = on_step_end
        self._region = region
        self._pipelines = pipelines
        self._creators = creators
        self._lock = threading.RLock()
        self._records: dict[str, ExecutionRecord] = {}
        self._started_by_token: dict[tuple[str, str], str] = {}

    def operations(self) -> Operations:
        """Return the operations by name."""
        arn = members("PipelineExecutionArn")
        paged = members("NextToken", "MaxResults")
        settings = members(
            "PipelineExecutionDescription", "PipelineExecutionDisplayName", "ParallelismConfiguration"
        )
        token = members("ClientRequestToken")
        return {
            "StartPipelineExecution": Operation(
                self.start,
                settings
                | token
                | members(
                    *("PipelineName", "PipelineParameters", "PipelineVersionId", "RoleArn"),
                    "SelectiveExecutionConfig",
                ),
            ),
            "DescribePipelineExecution": Operation(self.describe, arn),
            "DescribePipelineDefinitionForExecution": Operation(self.describe_definition, arn),
            "ListPipelineParametersForExecution": Operation(self.list_parameters, arn | paged),
            "ListPipelineExecutions": Operation(
                self.list_executions,
                paged | members("PipelineName", "CreatedAfter", "CreatedBefore", "SortBy", "SortOrder"),
            ),
            "ListPipelineExecutionSteps": Operation(self.list_steps, arn | paged | members("SortOrder")),
            "StopPipelineExecution": Operation(self.stop, arn | token),
            "RetryPipelineExecution": Operation(
                self.retry, arn | token | members("ParallelismConfiguration")
            ),
            "UpdatePipelineExecution": Operation(self.update, arn | settings),
            "SendPipelineExecutionStepSuccess": Operation(
                self.send_success, token | members("CallbackToken", "OutputParameters")
            ),
            "SendPipelineExecutionStepFailure": Operation(
                self.send_failure, token | members("CallbackToken", "FailureReason")
            ),
            "DeletePipeline": Operation(self.delete_pipeline, token | members("PipelineName")),
        }

    def close(self) -> None:
        """Stop all executions."""
        for record in list(self._records.values()):
            record.execution.stop()

    def state(self) -> ExecutionsState:
        """Return the executions, for another server to restore."""
        return self._records, self._started_by_token

    def restore(self, state: ExecutionsState) -> None:
        """Restore the executions of a stopped server; those that were running have failed."""
        for arn, record in state[0].items():
            self._records[arn] = record
            execution_id = arn.rsplit("/", 1)[-1]
            record.execution.restore(self._context(record.pipeline, execution_id, record.role_arn))
        self._started_by_token.update(state[1])

    def start(self, request: Request) -> Response:
        """Start an execution of a pipeline version, by default the newest."""
        pipeline = self._pipelines.find(request["PipelineName"])
        version = pipeline.version(request.get("PipelineVersionId"))
        definition = version.parsed
        if missing := not_executed(definition):
            raise _invalid(f"The embedded AWS does not execute these steps: {', '.join(missing)}")
        role_arn = request.get("RoleArn") or pipeline.role_arn
        given = {entry["Name"]: entry["Value"] for entry in request.get("PipelineParameters") or []}
        try:
            check_role_trust(role_arn, self._region)
            parameters = parameter_values(definition, given)
        except (RoleError, DefinitionError) as error:
            raise _invalid(str(error)) from error
        selection = request.get("SelectiveExecutionConfig")
        selected = self._selection(pipeline, definition, selection) if selection else None
        settings = _settings(request, pipeline)
        parallelism = settings.get("ParallelismConfiguration") or {}
        token = (pipeline.name, request["ClientRequestToken"])
        with self._lock:
            if token in self._started_by_token:
                return {"PipelineExecutionArn": self._started_by_token[token]}
            execution_id = new_execution_id()
            arn = f"{pipeline.arn}/execution/{execution_id}"
            execution = PipelineExecution(
                arn,
                definition,
                parameters,
                {
                    "StartDateTime": datetime.now(UTC).isoformat(),
                    "PipelineName": pipeline.name,
                    "PipelineArn": pipeline.arn,
                    "PipelineExecutionId": execution_id,
                    "PipelineExecutionArn": arn,
                },
                self._context(pipeline, execution_id, role_arn),
                max_parallel_steps=parallelism.get("MaxParallelExecutionSteps"),
                selection=selected,
            )
            self._records[arn] = ExecutionRecord(pipeline, version, role_arn, settings, execution)
            self._started_by_token[token] = arn
            version.last_execution = arn
            pipeline.last_run = execution.created
        execution.start()
        return {"PipelineExecutionArn": arn}

    def describe(self, request: Request) -> Response:
        """Return an execution."""
        return self._record(request).description()

    def describe_definition(self, request: Request) -> Response:
        """Return the definition of an execution, even if the pipeline has been updated since."""
        record = self._record(request)
        return {"PipelineDefinition": record.version.definition, "CreationTime": record.execution.created}

    def list_parameters(self, request: Request) -> Response:
        """Return the parameters of an execution with their values."""
        parameters = self._record(request).execution.parameters
        return page(
            [{"Name": name, "Value": str(value)} for name, value in parameters.items()],
            request,
            "PipelineParameters",
        )

    def list_executions(self, request: Request) -> Response:
        """Return the executions of a pipeline, newest first by default."""
        summaries = [
            record.summary()
            for record in self._of_pipeline(self._pipelines.find(request["PipelineName"]))
            if within(record.execution.created, request, "CreatedAfter", "CreatedBefore")
        ]
        sort_key = "PipelineExecutionArn" if request.get("SortBy") == "PipelineExecutionArn" else "StartTime"
        summaries.sort(key=lambda summary: str(summary[sort_key]), reverse=descending(request))
        return page(summaries, request, "PipelineExecutionSummaries")

    def list_steps(self, request: Request) -> Response:
        """Return the steps that an execution has started, last first by default."""
        runs = list(self._record(request).execution.runs.values())
        runs.sort(key=lambda run: run.started, reverse=descending(request))
        return page([step_summary(run) for run in runs], request, "PipelineExecutionSteps")

    def stop(self, request: Request) -> Response:
        """Stop an execution and its running jobs."""
        execution = self._record(request).execution
        if not execution.running:
            raise ApiError(
                "ConflictException",
                f"Pipeline execution {execution.arn} is {execution.status} and is not executing",
            )
        execution.stop()
        return {"PipelineExecutionArn": execution.arn}

    def retry(self, request: Request) -> Response:
        """Retry the failed and stopped steps of an execution."""
        execution = self._record(request).execution
        if execution.status not in {"Failed", "Stopped"}:
            raise ApiError(
                "ConflictException",
                f"Pipeline execution {execution.arn} is {execution.status}; "
                "only one that is Failed or Stopped can be retried",
            )
        parallelism = request.get("ParallelismConfiguration") or {}
        execution.retry(parallelism.get("MaxParallelExecutionSteps"))
        return {"PipelineExecutionArn": execution.arn}

    def update(self, request: Request) -> Response:
        """Change the display name, the description or the parallelism of an execution."""
        record = self._record(request)
        changed = {name: value for name, value in request.items() if name != "PipelineExecutionArn" and value}
        record.settings.update(changed)
        if parallelism := changed.get("ParallelismConfiguration"):
            record.execution.limit_parallel_steps(parallelism.get("MaxParallelExecutionSteps"))
        return {"PipelineExecutionArn": record.execution.arn}

    def send_success(self, request: Request) -> Response:
        """Complete a callback step with its outputs."""
        arn, callback = self._callback(request["CallbackToken"])
        callback.succeed({each["Name"]: each["Value"] for each in request.get("OutputParameters") or []})
        return {"PipelineExecutionArn": arn}

    def send_failure(self, request: Request) -> Response:
        """Fail a callback step."""
        arn, callback = self._callback(request["CallbackToken"])
        callback.fail(request.get("FailureReason") or "The callback step has failed")
        return {"PipelineExecutionArn": arn}

    def delete_pipeline(self, request: Request) -> Response:
        """Delete a pipeline with its executions, unless one is in progress."""
        pipeline = self._pipelines.find(request["PipelineName"])
        with self._lock:
            records = self._of_pipeline(pipeline)
            for record in records:
                if record.execution.running:
                    raise ApiError(
                        "ConflictException",
                        f"Pipeline {pipeline.name} has a running execution: {record.execution.arn}",
                    )
            for record in records:
                del self._records[record.execution.arn]
            self._pipelines.remove(pipeline)
        return {"PipelineArn": pipeline.arn}

    def find_tags(self, arn: str) -> Tags | None:
        """Return the tags of the execution with an ARN, or None."""
        record = self._records.get(arn)
        return record.tags if record else None

    def search_records(self) -> list[Response]:
        """Return the executions for `Search`."""
        return [record.description() for record in list(self._records.values())]

    def _selection(
        self, pipeline: Pipeline, definition: PipelineDefinition, selection: Mapping[str, Any]
    ) -> Selection:
        """Return the selection of a SelectiveExecutionConfig with the results of its source."""
        source = selection.get("SourcePipelineExecutionArn")
        selected = [step["StepName"] for step in selection["SelectedSteps"]]
        try:
            names = reused_steps(definition, selected, source)
        except SelectionError as error:
            raise _invalid(str(error)) from error
        if source is None:
            return Selection(frozenset(selected), [])
        record = self._record({"PipelineExecutionArn": source})
        if record.pipeline is not pipeline or record.execution.running:
            raise _invalid(
                f"Invalid SourcePipelineExecutionArn: {source} is not a finished execution of {pipeline.arn}"
            )
        runs = record.execution.runs
        missing = [name for name in names if name not in runs or runs[name].status != "Succeeded"]
        if missing:
            raise _invalid(
                f"Invalid SourcePipelineExecutionArn: {source} has no results of [{', '.join(missing)}]"
            )
        for name in selected:
            branch = definition.steps[name].branch
            if branch and branch[0] in names and runs[branch[0]].outcome != branch[1]:
                raise _invalid(
                    f"The selected step '{name}' runs when '{branch[0]}' is {branch[1]}, and in {source} "
                    f"it was {runs[branch[0]].outcome}"
                )
        reused = [replace(runs[name], step=definition.steps[name], selected_from=source) for name in names]
        return Selection(frozenset(selected), reused)

    def _context(self, pipeline: Pipeline, execution_id: str, role_arn: str) -> ExecutionContext:
        requester = Requester(role_arn, f"{pipeline.arn}/execution/{execution_id}")

        def create(step: Step, request: Mapping[str, Any]) -> StepResource:
            operation = STEP_REQUESTS[step.type].operation
            problems = request_problems(operation, request)
            if problems:
                raise ValueError("; ".join(problems))
            try:
                return self._creators[step.type](request, requester)
            except ApiError as error:
                message = f"Failed to invoke sagemaker:{operation}. Error Details: {error}"
                raise ValueError(message) from error
            except (ClientError, BotoCoreError) as error:
                raise ServiceFaultError(f"InternalServerError: {error}", "Step.SERVICE_FAULT") from error

        def send_callback(
            callback: Callback, arguments: object, status: Literal["Executing", "Stopping"]
        ) -> None:
            body = {"pipelineExecutionArn": requester.execution_arn, "arguments": arguments}
            send_message(self._clients, self._region, role_arn, callback, body, status)

        return ExecutionContext(
            create,
            send_callback=send_callback,
            cached_run=lambda step, key: self._cached_run(pipeline, step, key),
            read_json=self._read_json,
            new_name=lambda step, failures: new_resource_name(step, execution_id, failures),
            on_change=self._on_change,
            on_step_end=lambda run: self._on_step_end(run, pipeline.arn, requester.execution_arn),
        )

    def _cached_run(self, pipeline: Pipeline, step: Step, key: str) -> tuple[StepRun, str] | None:
        """Return the newest successful run of an identical step in this pipeline that has not expired."""
        now = datetime.now(UTC)
        found = [
            (run, record.execution.arn)
            for record in self._of_pipeline(pipeline)
            for run in list(record.execution.runs.values())
            if run.cache_key == key and run.status == "Succeeded"
            if run.reused_from is None and run.selected_from is None
            if run.ended and step.cache_expiry and now - run.ended <= step.cache_expiry
        ]
        return max(found, key=lambda entry: entry[0].started, default=None)

    def _read_json(self, uri: str) -> object:
        bucket, key = parse(uri)
        try:
            body = self._clients.of("s3", self._region).get_object(Bucket=bucket, Key=key)["Body"].read()
            return json.loads(body)
        except (ClientError, BotoCoreError, ValueError) as error:
            raise ExpressionError(f"the JSON file {uri} cannot be read: {error}") from error

    def _callback(self, token: str) -> tuple[str, Callback]:
        """Return the callback of a token, with the ARN of its execution."""
        for arn, record in list(self._records.items()):
            for run in list(record.execution.runs.values()):
                if run.callback and run.callback.token == token:
                    return arn, run.callback
        raise ApiError("ResourceNotFound", f"There is no callback step with the token {token}")

    def _record(self, request: Request) -> ExecutionRecord:
        arn = request.get("PipelineExecutionArn", "")
        try:
            return self._records[arn]
        except KeyError:
            raise ApiError("ResourceNotFound", f"Pipeline execution {arn} does not exist.") from None

    def _of_pipeline(self, pipeline: Pipeline) -> list[ExecutionRecord]:
        with self._lock:
            return [record for record in self._records.values() if record.pipeline is pipeline]


def _settings(request: Request, pipeline: Pipeline) -> dict[str, Any]:
    created = int(datetime.now(UTC).timestamp() * 1000)
    parallelism = request.get("ParallelismConfiguration") or pipeline.settings.get("ParallelismConfiguration")
    return with_values(
        {
            "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName")
            or f"execution-{created}",
            "PipelineExecutionDescription": request.get("PipelineExecutionDescription"),
            "ParallelismConfiguration": parallelism,
            "SelectiveExecutionConfig": request.get("SelectiveExecutionConfig"),
        }
    )


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
