"""Pipelines: created by `CreatePipeline`, with their versions and operations."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from helpers.local_aws.access.role_trust import RoleError, check_role_trust
from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import (
    ACCOUNT,
    ApiError,
    Request,
    Response,
    descending,
    page,
    with_values,
    within,
)
from helpers.local_aws.api.tags import Tags, checked_tags
from helpers.local_aws.pipelines.definition import DefinitionError, PipelineDefinition, parse_definition
from helpers.local_aws.service_clients import ServiceClients

_REGISTERED = members(
    *("PipelineName", "PipelineDisplayName", "PipelineDefinition", "PipelineDefinitionS3Location"),
    *("PipelineDescription", "RoleArn", "ParallelismConfiguration"),
)
_SORTED = members("PipelineNamePrefix", "SortBy")


@dataclass
class PipelineVersion:
    """A current or earlier definition of a pipeline."""

    number: int
    definition: str
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    display_name: str | None = None
    description: str | None = None
    last_execution: str | None = None
    """ARN of the last execution of this version."""

    @cached_property
    def parsed(self) -> PipelineDefinition:
        """The definition as a graph, shared by all executions of the version."""
        return parse_definition(self.definition)


@dataclass
class Pipeline:
    """A registered pipeline."""

    name: str
    arn: str
    role_arn: str
    versions: list[PipelineVersion]
    settings: dict[str, Any]
    """PipelineDisplayName, PipelineDescription and ParallelismConfiguration, if given."""
    tags: Tags
    token: str
    """The client request token of its creation."""
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))
    last_run: datetime | None = None

    def version(self, number: int | None = None) -> PipelineVersion:
        """Return a version, by default the newest.

        Raises:
            ApiError: ResourceNotFound.
        """
        if number is None:
            return self.versions[-1]
        if not 1 <= number <= len(self.versions):
            raise ApiError("ResourceNotFound", f"Pipeline version {number} of {self.arn} does not exist.")
        return self.versions[number - 1]

    def description(self, version: PipelineVersion) -> Response:
        """Return the response of `DescribePipeline`."""
        return with_values(
            {
                "PipelineArn": self.arn,
                "PipelineName": self.name,
                "PipelineDisplayName": self.name,
                **self.settings,
                "PipelineDefinition": version.definition,
                "RoleArn": self.role_arn,
                "PipelineStatus": "Active",
                "CreationTime": self.created,
                "LastModifiedTime": self.modified,
                "LastRunTime": self.last_run,
                "PipelineVersionDisplayName": version.display_name,
                "PipelineVersionDescription": version.description,
            }
        )

    def summary(self) -> Response:
        """Return the summary in `ListPipelines`."""
        return with_values(
            {
                "PipelineArn": self.arn,
                "PipelineName": self.name,
                "PipelineDisplayName": self.settings.get("PipelineDisplayName") or self.name,
                "PipelineDescription": self.settings.get("PipelineDescription"),
                "RoleArn": self.role_arn,
                "CreationTime": self.created,
                "LastModifiedTime": self.modified,
                "LastExecutionTime": self.last_run,
            }
        )


class Pipelines:
    """The pipelines of one region."""

    def __init__(self, clients: ServiceClients, region: str):
        self._clients = clients
        self._region = region
        self._lock = threading.RLock()
        self._pipelines: dict[str, Pipeline] = {}

    def operations(self) -> Operations:
        """Return the operations by name."""
        created = members("CreatedAfter", "CreatedBefore", "SortOrder", "NextToken", "MaxResults")
        return {
            "CreatePipeline": Operation(self.create, _REGISTERED | members("ClientRequestToken", "Tags")),
            "UpdatePipeline": Operation(self.update, _REGISTERED),
            "DescribePipeline": Operation(self.describe, members("PipelineName", "PipelineVersionId")),
            "ListPipelines": Operation(self.list_pipelines, created | _SORTED),
            "ListPipelineVersions": Operation(self.list_versions, created | members("PipelineName")),
            "UpdatePipelineVersion": Operation(
                self.update_version,
                members(
                    "PipelineArn",
                    "PipelineVersionId",
                    "PipelineVersionDisplayName",
                    "PipelineVersionDescription",
                ),
            ),
        }

    def state(self) -> Mapping[str, Pipeline]:
        """Return the pipelines, for another server to restore."""
        return self._pipelines

    def restore(self, state: Mapping[str, Pipeline]) -> None:
        """Restore the pipelines of a stopped server."""
        self._pipelines.update(state)

    def create(self, request: Request) -> Response:
        """Create a pipeline."""
        name, token = request["PipelineName"], request["ClientRequestToken"]
        definition = self._definition(request)
        if definition is None:
            raise ApiError(
                "ValidationException",
                "Either Pipeline Definition or Pipeline Definition S3 location should be provided",
            )
        self._check_role(request["RoleArn"])
        tags = checked_tags(request)
        with self._lock:
            existing = self._pipelines.get(name)
            if existing and existing.token != token:
                raise ApiError(
                    "ValidationException",
                    "Pipeline names must be unique within an AWS account and region. "
                    f"Pipeline with name ({name}) already exists.",
                )
            if existing is None:
                arn = f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:pipeline/{name}"
                versions = [PipelineVersion(1, definition)]
                self._pipelines[name] = Pipeline(
                    name, arn, request["RoleArn"], versions, _settings(request), tags, token
                )
            return {"PipelineArn": self._pipelines[name].arn}

    def update(self, request: Request) -> Response:
        """Update the given properties of a pipeline; a changed definition creates a version."""
        pipeline = self.find(request["PipelineName"])
        definition = self._definition(request)
        if request.get("RoleArn"):
            self._check_role(request["RoleArn"])
        with self._lock:
            pipeline.role_arn = request.get("RoleArn") or pipeline.role_arn
            pipeline.settings.update(_settings(request))
            pipeline.modified = datetime.now(UTC)
            if definition is not None and definition != pipeline.version().definition:
                pipeline.versions.append(PipelineVersion(len(pipeline.versions) + 1, definition))
            return {"PipelineArn": pipeline.arn, "PipelineVersionId": pipeline.version().number}

    def describe(self, request: Request) -> Response:
        """Return a pipeline with the definition of a version, by default the newest."""
        pipeline = self.find(request["PipelineName"])
        return pipeline.description(pipeline.version(request.get("PipelineVersionId")))

    def list_pipelines(self, request: Request) -> Response:
        """Return the pipelines of the region, newest first by default."""
        found = [
            pipeline.summary()
            for pipeline in list(self._pipelines.values())
            if pipeline.name.startswith(request.get("PipelineNamePrefix") or "")
            and within(pipeline.created, request, "CreatedAfter", "CreatedBefore")
        ]
        sort_key = "PipelineName" if request.get("SortBy") == "Name" else "CreationTime"
        found.sort(key=lambda summary: str(summary[sort_key]), reverse=descending(request))
        return page(found, request, "PipelineSummaries")

    def list_versions(self, request: Request) -> Response:
        """Return the versions of a pipeline, newest first by default."""
        pipeline = self.find(request["PipelineName"])
        found = [
            with_values(
                {
                    "PipelineArn": pipeline.arn,
                    "PipelineVersionId": version.number,
                    "CreationTime": version.created,
                    "PipelineVersionDisplayName": version.display_name,
                    "PipelineVersionDescription": version.description,
                    "LastExecutionPipelineExecutionArn": version.last_execution,
                }
            )
            for version in pipeline.versions
            if within(version.created, request, "CreatedAfter", "CreatedBefore")
        ]
        return page(found[::-1] if descending(request) else found, request, "PipelineVersionSummaries")

    def update_version(self, request: Request) -> Response:
        """Set the display name and the description of a version."""
        pipeline = self.find(request["PipelineArn"])
        version = pipeline.version(request["PipelineVersionId"])
        version.display_name = request.get("PipelineVersionDisplayName") or version.display_name
        version.description = request.get("PipelineVersionDescription") or version.description
        return {"PipelineArn": pipeline.arn, "PipelineVersionId": version.number}

    def find(self, name_or_arn: str) -> Pipeline:
        """Return a pipeline.

        Raises:
            ApiError: ResourceNotFound.
        """
        name = name_or_arn.rsplit("/", 1)[-1]
        try:
            return self._pipelines[name]
        except KeyError:
            raise ApiError("ResourceNotFound", f"Pipeline '{name}' does not exist.") from None

    def remove(self, pipeline: Pipeline) -> None:
        """Delete a pipeline."""
        with self._lock:
            del self._pipelines[pipeline.name]

    def find_tags(self, arn: str) -> Tags | None:
        """Return the tags of the pipeline with an ARN, or None."""
        return next((each.tags for each in list(self._pipelines.values()) if each.arn == arn), None)

    def search_records(self) -> list[Response]:
        """Return the pipelines for `Search`."""
        return [{**pipeline.summary(), "Tags": pipeline.tags} for pipeline in list(self._pipelines.values())]

    def _definition(self, request: Request) -> str | None:
        """Return the validated definition of a request, from S3 if it names an object."""
        text, location = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
        if text is not None and location is not None:
            raise ApiError(
                "ValidationException",
                "Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present",
            )
        if location is not None:
            text = self._read(location)
        if text is not None:
            try:
                parse_definition(text)
            except DefinitionError as error:
                message = f"Unable to parse pipeline definition. {error}"
                raise ApiError("ValidationException", message) from error
        return text

    def _read(self, location: Mapping[str, str]) -> str:
        version = {"VersionId": location["VersionId"]} if location.get("VersionId") else {}
        s3 = self._clients.of("s3", self._region)
        try:
            found = s3.get_object(Bucket=location["Bucket"], Key=location["ObjectKey"], **version)
            return str(found["Body"].read().decode())
        except (ClientError, UnicodeDecodeError) as error:
            place = f"s3://{location['Bucket']}/{location['ObjectKey']}"
            message = f"The pipeline definition {place} cannot be read: {error}"
            raise ApiError("ValidationException", message) from error

    def _check_role(self, role_arn: str) -> None:
        try:
            check_role_trust(role_arn, self._region)
        except RoleError as error:
            raise ApiError("ValidationException", str(error)) from error


def _settings(request: Request) -> dict[str, Any]:
    names = ("PipelineDisplayName", "PipelineDescription", "ParallelismConfiguration")
    return {name: request[name] for name in names if request.get(name) is not None}
