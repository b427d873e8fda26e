"""The operations on pipelines and their executions."""

import json
import random
import string
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

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
from helpers.local_aws.pipelines.definition import (
    DefinitionError,
    PipelineDefinition,
    not_executed,
    parameter_values,
    parse_definition,
)
from helpers.local_aws.pipelines.execution import (
    PipelineExecution,
    ServiceFaultError,
    StepRun,
    Surroundings,
)
from helpers.local_aws.pipelines.expressions import ExpressionError
from helpers.local_aws.pipelines.steps import Step
from helpers.local_aws.processing.data import split_uri
from helpers.local_aws.processing.job import ProcessingJob
from helpers.local_aws.processing.operations import ProcessingJobOperations
from helpers.local_aws.service_clients import RoleError, ServiceClients


class PipelineOperations:
    """The executions of one region's pipelines; methods are operations of the API, in its JSON.

    The pipelines themselves are moto's; what it does not check of them is checked here.
    """

    def __init__(self, clients: ServiceClients, region: str, jobs: ProcessingJobOperations):
        self._clients = clients
        self._region = region
        self._jobs = jobs
        self._lock = threading.RLock()
        self._executions: dict[str, _Record] = {}
        self._started_by_token: dict[tuple[str, str], str] = {}

    def close(self) -> None:
        """Stop all executions."""
        for record in list(self._executions.values()):
            record.execution.stop()

    def check_pipeline(self, request: Request) -> None:
        """Check what CreatePipeline and UpdatePipeline are given."""
        text = request.get("PipelineDefinition")
        if text is not None:
            _parsed(text)
        role = request.get("RoleArn")
        if role is not None:
            try:
                self._clients.check_role(role, self._region)
            except RoleError as error:
                raise ApiError("ValidationException", str(error)) from error

    def forget_executions(self, request: Request) -> None:
        """Drop the executions of a pipeline that is about to be deleted, unless one of them runs."""
        with self._lock:
            records = self._of_pipeline(request["PipelineName"])
            for record in records:
                if record.execution.running:
                    raise ApiError(
                        "ConflictException",
                        f"Pipeline {record.pipeline_name} has a running execution: {record.execution.arn}",
                    )
            for record in records:
                del self._executions[record.execution.arn]

    def start_pipeline_execution(self, request: Request) -> Response:
        """Start an execution of what is upserted now."""
        pipeline = self._pipeline(request["PipelineName"])
        name, token = pipeline["PipelineName"], (pipeline["PipelineName"], request["ClientRequestToken"])
        definition = _parsed(pipeline["PipelineDefinition"])
        missing = not_executed(definition)
        if missing:
            raise ApiError(
                "ValidationException", f"The embedded AWS does not execute these steps: {', '.join(missing)}"
            )
        given = {entry["Name"]: entry["Value"] for entry in request.get("PipelineParameters") or []}
        try:
            parameters = parameter_values(definition, given)
        except DefinitionError as error:
            raise ApiError("ValidationException", str(error)) from error
        with self._lock:
            if token in self._started_by_token:
                return {"PipelineExecutionArn": self._started_by_token[token]}
            execution_id = _random_name(12)
            arn = f"{pipeline['PipelineArn']}/execution/{execution_id}"
            parallelism = request.get("ParallelismConfiguration") or pipeline.get("ParallelismConfiguration")
            execution = PipelineExecution(
                arn,
                definition,
                parameters,
                {
                    "StartDateTime": datetime.now(UTC).isoformat(),
                    "PipelineName": name,
                    "PipelineArn": pipeline["PipelineArn"],
                    "PipelineExecutionId": execution_id,
                    "PipelineExecutionArn": arn,
                },
                self._surroundings(name, execution_id, pipeline["RoleArn"]),
                (parallelism or {}).get("MaxParallelExecutionSteps"),
            )
            self._executions[arn] = _Record(name, pipeline, dict(request), execution)
            self._started_by_token[token] = arn
        execution.start()
        return {"PipelineExecutionArn": arn}

    def describe_pipeline_execution(self, request: Request) -> Response:
        """Return an execution."""
        record = self._record(request)
        execution = record.execution
        return with_values(
            {
                "PipelineArn": record.pipeline["PipelineArn"],
                "PipelineExecutionArn": execution.arn,
                "PipelineExecutionDisplayName": record.display_name,
                "PipelineExecutionStatus": execution.status,
                "PipelineExecutionDescription": record.request.get("PipelineExecutionDescription"),
                "PipelineExperimentConfig": execution.definition.experiment,
                "FailureReason": execution.failure_reason,
                "CreationTime": execution.created,
                "LastModifiedTime": execution.modified,
                "ParallelismConfiguration": record.request.get("ParallelismConfiguration"),
            }
        )

    def describe_pipeline_definition_for_execution(self, request: Request) -> Response:
        """Return the definition that an execution runs, whatever was upserted since."""
        record = self._record(request)
        return {
            "PipelineDefinition": record.pipeline["PipelineDefinition"],
            "CreationTime": record.execution.created,
        }

    def list_pipeline_parameters_for_execution(self, request: Request) -> Response:
        """Return the parameters of an execution, with the values it runs with."""
        parameters = self._record(request).execution.parameters
        return page(
            [{"Name": name, "Value": str(value)} for name, value in parameters.items()],
            request,
            "PipelineParameters",
        )

    def list_pipeline_executions(self, request: Request) -> Response:
        """Return the executions of a pipeline, by default the newest first."""
        name = self._pipeline(request["PipelineName"])["PipelineName"]
        summaries = [
            with_values(
                {
                    "PipelineExecutionArn": record.execution.arn,
                    "StartTime": record.execution.created,
                    "PipelineExecutionStatus": record.execution.status,
                    "PipelineExecutionDescription": record.request.get("PipelineExecutionDescription"),
                    "PipelineExecutionDisplayName": record.display_name,
                    "PipelineExecutionFailureReason": record.execution.failure_reason,
                }
            )
            for record in self._of_pipeline(name)
            if within(record.execution.created, request, "CreatedAfter", "CreatedBefore")
        ]
        sort_key = "PipelineExecutionArn" if request.get("SortBy") == "PipelineExecutionArn" else "StartTime"
        summaries.sort(key=lambda summary: str(summary[sort_key]), reverse=descending(request))
        return page(summaries, request, "PipelineExecutionSummaries")

    def list_pipeline_execution_steps(self, request: Request) -> Response:
        """Return the steps that an execution has come to, by default the last first."""
        runs = list(self._record(request).execution.runs.values())
        runs.sort(key=lambda run: run.started, reverse=descending(request))
        return page([_step_summary(run) for run in runs], request, "PipelineExecutionSteps")

    def stop_pipeline_execution(self, request: Request) -> Response:
        """Stop an execution; its running jobs are ended."""
        execution = self._record(request).execution
        if not execution.running:
            raise ApiError(
                "ConflictException",
                f"Pipeline execution {execution.arn} is {execution.status} and runs no more",
            )
        execution.stop()
        return {"PipelineExecutionArn": execution.arn}

    def retry_pipeline_execution(self, request: Request) -> Response:
        """Run the failed and stopped steps of an execution once more."""
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

    def _surroundings(self, pipeline_name: str, execution_id: str, role_arn: str) -> Surroundings:
        def create_job(request: Mapping[str, Any]) -> ProcessingJob:
            problems = request_problems("CreateProcessingJob", request)
            if problems:
                raise ValueError("; ".join(problems))
            try:
                self._jobs.create_processing_job(request, caller=role_arn)
            except ApiError as error:
                raise ValueError(str(error)) from error
            except (ClientError, BotoCoreError) as error:
                raise ServiceFaultError(f"InternalServerError: {error}", "Step.SERVICE_FAULT") from error
            return self._jobs.job(request)

        def cached_run(step: Step, key: str) -> tuple[StepRun, str] | None:
            return self._cached_run(pipeline_name, step, key)

        def new_job_name(step_name: str) -> str:
            return f"pipelines-{execution_id}-{step_name[:20].rstrip('-')}-{_random_name(10)}"

        return Surroundings(create_job, cached_run, self._read_json, new_job_name)

    def _cached_run(self, pipeline_name: str, step: Step, key: str) -> tuple[StepRun, str] | None:
        """Return the newest successful run of an equal step in this pipeline that is young enough."""
        now = datetime.now(UTC)
        found = [
            (run, record.execution.arn)
            for record in self._of_pipeline(pipeline_name)
            for run in list(record.execution.runs.values())
            if run.cache_key == key and run.status == "Succeeded" and run.reused_from is None
            if run.ended and step.cache_expiry and now - run.ended <= step.cache_expiry
        ]
        return max(found, key=lambda entry: entry[0].started, default=None)

    def _read_json(self, uri: str) -> object:
        bucket, key = split_uri(uri)
        try:
            body = self._clients.of("s3", self._region).get_object(Bucket=bucket, Key=key)["Body"].read()
            return json.loads(body)
        except (ClientError, ValueError) as error:
            raise ExpressionError(f"the property file {uri} cannot be read: {error}") from error

    def _pipeline(self, name: str) -> Response:
        try:
            answer: Response = self._clients.of("sagemaker", self._region).describe_pipeline(
                PipelineName=name
            )
        except ClientError as error:
            raise ApiError(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
        return answer

    def _record(self, request: Request) -> "_Record":
        arn = request.get("PipelineExecutionArn", "")
        try:
            return self._executions[arn]
        except KeyError:
            raise ApiError("ResourceNotFound", f"Pipeline execution {arn} does not exist.") from None

    def _of_pipeline(self, name: str) -> list["_Record"]:
        plain = name.rsplit("/", 1)[-1]
        with self._lock:
            return [record for record in self._executions.values() if record.pipeline_name == plain]


class _Record:
    """An execution with what the API tells of it beside its run."""

    def __init__(
        self, pipeline_name: str, pipeline: Response, request: Response, execution: PipelineExecution
    ):
        self.pipeline_name = pipeline_name
        self.pipeline = pipeline
        self.request = request
        self.execution = execution
        created = int(execution.created.timestamp() * 1000)
        self.display_name = request.get("PipelineExecutionDisplayName") or f"execution-{created}"


def _parsed(text: str) -> PipelineDefinition:
    try:
        return parse_definition(text)
    except DefinitionError as error:
        raise ApiError("ValidationException", f"Unable to parse pipeline definition. {error}") from error


def _step_summary(run: StepRun) -> Response:
    return with_values(
        {
            "StepName": run.step.name,
            "StepDisplayName": run.step.display_name,
            "StepDescription": run.step.description,
            "StartTime": run.started,
            "EndTime": run.ended,
            "StepStatus": run.status,
            "CacheHitResult": {"SourcePipelineExecutionArn": run.reused_from} if run.reused_from else None,
            "FailureReason": run.failure_reason,
            "Metadata": run.metadata(),
            "AttemptCount": run.attempts or None,
        }
    )


def _random_name(length: int) -> str:
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=length))  # noqa: S311 - a name
