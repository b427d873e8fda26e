"""The requests that SageMaker receives for jobs, and what makes their results reusable."""

import json
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from helpers.errors import UserError
from helpers.local_aws.pipelines.expressions import references, resolve
from helpers.local_aws.pipelines.step_cache import cache_key
from helpers.local_aws.pipelines.step_requests import STEP_REQUESTS
from helpers.project_settings import project_settings
from ml_pipeline import definitions
from ml_pipeline.controls.checks import findings
from ml_pipeline.definitions import build_pipeline, canonical, pipeline_definition
from ml_pipeline.params import (
    DEFAULT_PIPELINE,
    PipelineParams,
    ProcessingParams,
    SparkCode,
    SparkStepSpec,
    load_parameters,
)
from ml_pipeline.pipeline import create_pipeline
from ml_pipeline.pipelines import find_pipeline
from ml_pipeline.steps.cache import days_reusable
from tests.ml_pipeline.building import BuiltElsewhere
from tests.ml_pipeline.small_project import FIRST, STEP, write_params
from tests.ml_pipeline.two_steps import NAME, PAIR, PIPELINE, Document, write_jobs

PROCESSING_KEY = STEP_REQUESTS["Processing"].cache_members


@pytest.fixture(scope="module")
def spec(parameters: PipelineParams) -> SparkStepSpec:
    """The only step of the small project's pipeline."""
    (found,) = parameters.spark_steps.values()
    return found


@pytest.fixture(scope="module")
def job(definition: Document, spec: SparkStepSpec) -> Document:
    """The request of this step."""
    (step,) = definition["Steps"]
    assert (step["Name"], step["Type"]) == (spec.name, "Processing")
    arguments: Document = step["Arguments"]
    return arguments


@pytest.fixture(scope="module")
def code(project: Path) -> SparkCode:
    """The files that the step runs."""
    return SparkCode(project / "spark_jobs")


@pytest.fixture(scope="module")
def pair(outputs: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> PipelineParams:
    """The parameters of a pipeline with two steps."""
    folder = tmp_path_factory.mktemp("pair")
    params = write_params(folder / "params")
    (params / "pipelines" / f"{NAME}.json").write_text(json.dumps(PAIR))
    code = SparkCode(write_jobs(folder / "jobs"))
    return load_parameters("local", outputs, NAME, code=code, folder=params)


@pytest.fixture(scope="module")
def pair_definition(pair: PipelineParams, tmp_path_factory: pytest.TempPathFactory) -> Document:
    """The definition of the pipeline with two steps; tests must not change it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(definitions, "CACHE", tmp_path_factory.mktemp("definitions"))
        found: Document = json.loads(pipeline_definition(PIPELINE, pair))
        return found


@pytest.fixture(scope="module")
def requests(pair_definition: Document) -> Mapping[str, Document]:
    """The requests of its steps."""
    return {step["Name"]: step["Arguments"] for step in pair_definition["Steps"]}


# A job's request.


def test_the_job_runs_in_the_vpc_with_both_keys(
    job: Document, parameters: ProcessingParams, spec: SparkStepSpec
) -> None:
    assert job["NetworkConfig"] == {
        "EnableInterContainerTrafficEncryption": True,
        "EnableNetworkIsolation": False,
        "VpcConfig": {
            "SecurityGroupIds": list(parameters.network_security_group_ids),
            "Subnets": list(parameters.network_subnet_ids),
        },
    }
    cluster = job["ProcessingResources"]["ClusterConfig"]
    assert cluster["VolumeKmsKeyId"] == parameters.pyspark_process_volume_kms
    assert job["ProcessingOutputConfig"]["KmsKeyId"] == parameters.pyspark_process_output_kms
    assert parameters.pyspark_process_volume_kms != parameters.pyspark_process_output_kms
    assert job["RoleArn"] == parameters.pyspark_process_role != parameters.pipeline_role
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": spec.max_runtime_seconds}
    assert {tag["Key"]: tag["Value"] for tag in job["Tags"]} == parameters.tags


def test_the_jobs_are_named_after_the_environment(job: Document, parameters: ProcessingParams) -> None:
    """Policies match jobs and their logs by this prefix."""
    prefix = f"{project_settings().project_name}-local"
    assert parameters.job_name_prefix == prefix
    assert job["ProcessingJobName"] == parameters.job_prefix_of(STEP)
    assert f"{job['ProcessingJobName']}-".startswith(f"{prefix}-")


@pytest.mark.parametrize("step", ["s" * 64, "_", "a_b", "trailing_"])
@pytest.mark.parametrize("project_name", ["abc", "p" * 24])
def test_however_long_the_names_are_the_prefix_is_whole(
    parameters: ProcessingParams, project_name: str, step: str
) -> None:
    prefix = f"{project_name}-{'e' * 12}"
    name = parameters.model_copy(update={"job_name_prefix": prefix}).job_prefix_of(step)
    assert f"{name}-".startswith(f"{prefix}-")
    assert len(name) <= 37
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", name)


def test_the_container_gets_code_and_configuration_by_their_content_hash(
    job: Document, parameters: ProcessingParams, spec: SparkStepSpec, code: SparkCode
) -> None:
    application = job["AppSpecification"]
    inputs = {i["S3Input"]["S3Uri"]: i["S3Input"]["LocalPath"] for i in job["ProcessingInputs"]}

    version = parameters.pyspark_framework_version
    assert application["ImageUri"].endswith(f"/sagemaker-spark-processing:{version}-cpu-py312-v1.3")
    assert parameters.pyspark_helper_code in application["ContainerEntrypoint"]
    assert application["ContainerArguments"] == [
        "--input_table",
        parameters.pyspark_process_data_input,
        "--output_table",
        parameters.pyspark_process_data_output,
        "--max_rejected_fraction",
        str(parameters.pyspark_process_max_rejected_fraction),
    ]
    assert inputs == {
        parameters.spark_config_file: "/opt/ml/processing/input/conf",
        parameters.pyspark_process_code: "/opt/ml/processing/input/code",
    }
    assert all(f"/code/{code.hash(spec.files.values())}/" in uri for uri in spec.files)


def test_the_fingerprint_of_the_data_must_be_given_and_is_part_of_the_cache_key(
    definition: Document, job: Document, spec: SparkStepSpec
) -> None:
    fingerprint = f"Fingerprint-{spec.name}-input_table"
    assert definition["Parameters"] == [
        {"Name": "ForceRun", "Type": "String", "DefaultValue": "no"},
        {"Name": fingerprint, "Type": "String"},
    ]
    assert job["Environment"] == {
        "FORCE_RUN": {"Get": "Parameters.ForceRun"},
        "INPUT_FINGERPRINT_INPUT_TABLE": {"Get": f"Parameters.{fingerprint}"},
        "OUTPUTS": "output_table",
        "PROCESSING_JOB_CONFIG": "/opt/ml/config/processingjobconfig.json",
        "REPORT_FOLDER": spec.outputs["output_table"],
        "RUNS_KEPT_DAYS": str(days_reusable(spec.cache_expires_after)),
    }
    assert "Environment" in PROCESSING_KEY
    assert definition["Steps"][0]["CacheConfig"] == {"Enabled": True, "ExpireAfter": spec.cache_expires_after}


@pytest.mark.parametrize(
    ("expires_after", "days"),
    [("P30D", 40), ("P1M", 41), ("P1Y2M3DT4H5M6S", 442), ("PT12H", 11), ("P2W", 24), ("PT0S", 11)],
)
def test_runs_are_kept_for_as_long_as_a_cached_result_may_be_read(expires_after: str, days: int) -> None:
    assert days_reusable(expires_after) == days


def test_a_changed_line_of_any_staged_file_is_another_step_for_the_cache(
    job: Document, spec: SparkStepSpec, code: SparkCode, tmp_path: Path
) -> None:
    def key() -> str:
        # The definition depends only on the parameters, which include the hash of the code.
        code_hash = SparkCode(tmp_path).hash(spec.files.values())
        staged = re.sub(r"/code/[0-9a-f]{16}/", f"/code/{code_hash}/", json.dumps(job))
        return cache_key(spec.name, json.loads(staged), PROCESSING_KEY)

    for name in spec.files.values():
        (tmp_path / name).write_bytes(code.read(name))
    keys = {key()}
    for name in spec.files.values():
        (tmp_path / name).write_bytes(code.read(name) + b"\n")
        keys.add(key())

    assert len(keys) == 1 + len(spec.files)


def test_each_execution_and_step_has_its_own_folder_of_event_logs(
    job: Document, parameters: PipelineParams, spec: SparkStepSpec, requests: Mapping[str, Document]
) -> None:
    def folder(request: Document) -> Any:
        (output,) = request["ProcessingOutputConfig"]["Outputs"]
        return output["S3Output"]["S3Uri"]

    execution = {"Get": "Execution.PipelineExecutionId"}
    logs = parameters.process_spark_ui_log_output.format(parameters.trial)
    assert folder(job) == {"Std:Join": {"On": "/", "Values": [logs, execution, spec.name]}}
    assert [folder(request)["Std:Join"]["Values"][1:] for request in requests.values()] == [
        [execution, "clean"],
        [execution, "join"],
    ]


def test_faults_of_the_service_are_retried(definition: Document, spec: SparkStepSpec) -> None:
    policies = definition["Steps"][0]["RetryPolicies"]

    assert [(p["ExceptionType"], p["MaxAttempts"]) for p in policies] == [
        (["Step.SERVICE_FAULT", "Step.THROTTLING"], spec.retry_attempts),
        (["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"], spec.retry_attempts),
    ]


def test_the_experiment_is_named_without_a_clock(definition: Document, parameters: PipelineParams) -> None:
    assert definition["PipelineExperimentConfig"] == {
        "ExperimentName": parameters.pipeline_name,
        "TrialName": parameters.trial,
    }


# Two steps.


def test_every_input_from_outside_has_a_fingerprint_of_its_own(
    pair_definition: Document, requests: Mapping[str, Document]
) -> None:
    assert pair_definition["Parameters"] == [
        {"Name": "ForceRun", "Type": "String", "DefaultValue": "no"},
        {"Name": "Fingerprint-clean-rides", "Type": "String"},
        {"Name": "Fingerprint-join-rates", "Type": "String"},
    ]
    fingerprints = [
        {name: value for name, value in request["Environment"].items() if name.startswith("INPUT_")}
        for request in requests.values()
    ]
    assert fingerprints == [
        {"INPUT_FINGERPRINT_RIDES": {"Get": "Parameters.Fingerprint-clean-rides"}},
        {"INPUT_FINGERPRINT_RATES": {"Get": "Parameters.Fingerprint-join-rates"}},
    ]


def test_a_step_reads_the_run_that_the_other_step_wrote(
    requests: Mapping[str, Document], pair: PipelineParams
) -> None:
    run = ["s3a://data-bucket/clean", "runs", {"Get": "Steps.clean.ProcessingJobName"}, "parquet"]

    assert requests["join"]["AppSpecification"]["ContainerArguments"] == [
        "--rides",
        {"Std:Join": {"On": "/", "Values": run}},
        "--rates",
        "s3a://data-bucket/rates.csv",
        "--joined",
        "s3a://data-bucket/joined",
        "--rejected",
        "s3a://data-bucket/rejected",
        "--minimum",
        "2.5",
    ]
    assert requests["join"]["Environment"]["REPORT_FOLDER"] == "s3a://data-bucket/joined"
    assert requests["join"]["Environment"]["OUTPUTS"] == "joined,rejected"


def test_both_steps_show_every_control(pair_definition: Document) -> None:
    assert findings(pair_definition) == []


def keys(requests: Mapping[str, Document], **changes: str) -> dict[str, str]:
    """Return the cache key of each step in an execution, with changed values of references.

    Args:
        requests: requests of the steps.
        changes: values by the beginning of references, with underscores for dots and hyphens.
    """

    def value(reference: str) -> str:
        assert not reference.startswith("Execution."), "no execution would have the key of another"
        return changes.get(re.sub(r"[.-]", "_", reference), f"the same {reference}")

    def resolved(request: Document) -> Document:
        in_key = {name: request[name] for name in PROCESSING_KEY}
        found: Document = resolve(in_key, value, lambda _: None, lambda _: None)
        return found

    return {name: cache_key(name, resolved(request), PROCESSING_KEY) for name, request in requests.items()}


def test_nothing_changed_is_nothing_to_run(requests: Mapping[str, Document]) -> None:
    assert keys(requests) == keys(requests)


@pytest.mark.parametrize(
    ("change", "run_again"),
    [
        ({"Parameters_Fingerprint_join_rates": "changed"}, {"join"}),
        ({"Parameters_Fingerprint_clean_rides": "changed"}, {"clean"}),
        ({"Steps_clean_ProcessingJobName": "another-job"}, {"join"}),
        ({"Parameters_ForceRun": "f00"}, {"clean", "join"}),
    ],
    ids=["data of the second input", "data of the first step", "the first step ran again", "forced"],
)
def test_what_changes_runs_the_steps_that_depend_on_it(
    change: dict[str, str], run_again: set[str], requests: Mapping[str, Document]
) -> None:
    before, after = keys(requests), keys(requests, **change)

    assert {name for name in before if before[name] != after[name]} == run_again


def test_every_reference_in_a_cache_key_is_one_of_these(requests: Mapping[str, Document]) -> None:
    found = [
        {found for part in PROCESSING_KEY for found in references(request[part])}
        for request in requests.values()
    ]

    assert found == [
        {"Parameters.ForceRun", "Parameters.Fingerprint-clean-rides"},
        {"Parameters.ForceRun", "Parameters.Fingerprint-join-rates", "Steps.clean.ProcessingJobName"},
    ]


# Building.


def test_another_process_in_another_region_builds_the_same_bytes(
    built_elsewhere: BuiltElsewhere, outputs: dict[str, str]
) -> None:
    pipeline, parameters = find_pipeline(DEFAULT_PIPELINE), load_parameters("local", outputs)

    assert built_elsewhere.definition == pipeline_definition(pipeline, parameters)
    assert built_elsewhere.errors == "", "the SDK must be silent"


def test_building_leaves_logging_and_environment_as_they_were(outputs: dict[str, str]) -> None:
    parameters, root = load_parameters("local", outputs), logging.getLogger()
    before = (root.level, root.handlers[:], os.environ.get("AWS_DEFAULT_REGION"))

    built = create_pipeline(parameters.model_dump(mode="json"), logging.getLogger("test"))

    assert built.name == parameters.pipeline_name
    assert before == (root.level, root.handlers[:], os.environ.get("AWS_DEFAULT_REGION"))


def test_the_configuration_of_the_sdk_is_validated_once(
    parameters: PipelineParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_pipeline(FIRST, parameters, logging.getLogger("test"))
    validated: list[object] = []
    monkeypatch.setattr(jsonschema, "validate", lambda instance, _schema: validated.append(instance))

    build_pipeline(FIRST, parameters, logging.getLogger("test"))

    assert validated == []


def test_another_configuration_of_the_sdk_is_validated() -> None:
    from ml_pipeline.steps import sagemaker_sdk as sdk  # noqa: PLC0415 - takes seconds to import

    for validate in (
        sdk.config.validate_sagemaker_config,
        sdk.config_manager.SageMakerConfig.validate_sagemaker_config,
    ):
        for _ in range(2):
            with pytest.raises(jsonschema.ValidationError, match="'9\\.9' is not one of"):
                validate({"SchemaVersion": "9.9"})


def test_the_telemetry_of_the_sdk_is_off() -> None:
    # Imported here, so that the collection of tests does not wait for the SDK.
    from ml_pipeline.steps import sagemaker_sdk  # noqa: PLC0415, I001 - first, because it sets the location of the settings
    from sagemaker.core.common_utils import resolve_value_from_config  # noqa: PLC0415
    from sagemaker.core.config.config import load_sagemaker_config  # noqa: PLC0415
    from sagemaker.core.config.config_schema import TELEMETRY_OPT_OUT_PATH  # noqa: PLC0415

    assert os.environ["SAGEMAKER_USER_CONFIG_OVERRIDE"] == str(sagemaker_sdk.CONFIG)
    loaded = load_sagemaker_config()
    assert resolve_value_from_config(config_path=TELEMETRY_OPT_OUT_PATH, sagemaker_config=loaded) is True


def test_a_definition_is_canonical_without_nulls_and_order() -> None:
    assert canonical('{"b": [{"c": null, "d": 1}], "a": null}') == canonical('{"b":[{"d":1}]}')
    assert canonical('{"b": 1, "a": 2}') == canonical('{"a": 2, "b": 1}')


def test_a_definition_beyond_the_limit_is_rejected(
    parameters: PipelineParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definitions, "CACHE", tmp_path)
    huge = parameters.model_copy(update={"trial": "t" * 2**20})

    with pytest.raises(UserError, match="SageMaker accepts 1048576"):
        pipeline_definition(FIRST, huge)

    assert list(tmp_path.iterdir()) == [], "nor is it kept"
