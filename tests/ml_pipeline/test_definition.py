import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers.errors import UserError
from helpers.local_aws.pipelines.step_cache import cache_key
from ml_pipeline.params import PipelineParams
from ml_pipeline.pipeline import canonical, create_pipeline, pipeline_definition
from ml_pipeline.releases.staging import FILES, code_hash, read_code

PROGRAM = """
import sys
from ml_pipeline.params import PipelineParams
from ml_pipeline.pipeline import pipeline_definition
sys.stdout.write(pipeline_definition(PipelineParams.model_validate_json(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def definition(parameters: PipelineParams) -> dict[str, Any]:
    """The definition, parsed."""
    found: dict[str, Any] = json.loads(pipeline_definition(parameters))
    return found


@pytest.fixture(scope="module")
def job(definition: dict[str, Any]) -> dict[str, Any]:
    """The request of the only step."""
    (step,) = definition["Steps"]
    assert (step["Name"], step["Type"]) == ("pyspark-processing", "Processing")
    arguments: dict[str, Any] = step["Arguments"]
    return arguments


def test_the_job_runs_in_the_vpc_with_both_keys(job: dict[str, Any], parameters: PipelineParams) -> None:
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
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    assert {tag["Key"]: tag["Value"] for tag in job["Tags"]} == parameters.tags


def test_the_container_gets_code_and_configuration_by_their_content_hash(job: dict[str, Any]) -> None:
    application = job["AppSpecification"]
    code = "s3://artifact-bucket/code/0123456789abcdef"
    inputs = {i["S3Input"]["S3Uri"]: i["S3Input"]["LocalPath"] for i in job["ProcessingInputs"]}

    assert application["ImageUri"].endswith("/sagemaker-spark-processing:3.5-cpu-py312-v1.3")
    assert f"{code}/data_utils.py" in application["ContainerEntrypoint"]
    assert application["ContainerArguments"] == [
        "--input_table",
        "s3a://data-bucket/data_input/abalone.csv",
        "--output_table",
        "s3a://data-bucket/pyspark/data_output",
        "--max_rejected_fraction",
        "0.01",
    ]
    assert inputs == {
        f"{code}/configuration.json": "/opt/ml/processing/input/conf",
        f"{code}/process_pyspark.py": "/opt/ml/processing/input/code",
    }


def test_the_fingerprint_of_the_data_must_be_given_and_is_part_of_the_cache_key(
    definition: dict[str, Any], job: dict[str, Any]
) -> None:
    assert definition["Parameters"] == [{"Name": "InputDataFingerprint", "Type": "String"}]
    assert job["Environment"] == {"INPUT_DATA_FINGERPRINT": {"Get": "Parameters.InputDataFingerprint"}}
    assert definition["Steps"][0]["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}


@pytest.mark.parametrize("name", FILES.values())
def test_a_changed_line_of_any_staged_file_is_another_step_for_the_cache(
    name: str, job: dict[str, Any]
) -> None:
    code = read_code()
    keys = set()
    for files in (code, {**code, name: code[name] + b"\n"}):
        # The definition is a function of the parameters, of which the code is the hash only.
        staged = json.dumps(job).replace("0123456789abcdef", code_hash(files))
        keys.add(cache_key("pyspark-processing", json.loads(staged)))

    assert len(keys) == 2


def test_each_execution_has_its_own_folder_of_event_logs(job: dict[str, Any]) -> None:
    (output,) = job["ProcessingOutputConfig"]["Outputs"]

    assert output["S3Output"]["S3Uri"] == {
        "Std:Join": {
            "On": "/",
            "Values": ["s3://data-bucket/spark_ui_logs/abalone", {"Get": "Execution.PipelineExecutionId"}],
        }
    }


def test_faults_of_the_service_are_retried(definition: dict[str, Any]) -> None:
    policies = definition["Steps"][0]["RetryPolicies"]

    assert [(p["ExceptionType"], p["MaxAttempts"]) for p in policies] == [
        (["Step.SERVICE_FAULT", "Step.THROTTLING"], 3),
        (["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"], 3),
    ]


def test_the_experiment_is_named_without_a_clock(definition: dict[str, Any]) -> None:
    assert definition["PipelineExperimentConfig"] == {
        "ExperimentName": "ProcessingPipeline-local",
        "TrialName": "abalone",
    }


def test_another_process_in_another_region_builds_the_same_bytes(
    parameters: PipelineParams, tmp_path: Path, repository: Path
) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(repository)}
    built = subprocess.run(
        [sys.executable, "-c", PROGRAM, parameters.model_dump_json()],
        env=environment | {"AWS_DEFAULT_REGION": "ap-southeast-2", "PYTHONHASHSEED": "7"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert built.stdout == pipeline_definition(parameters)
    assert built.stderr == "", "the SDK shall be silent"


def test_building_leaves_logging_and_environment_as_they_were(parameters: PipelineParams) -> None:
    root = logging.getLogger()
    before = (root.level, root.handlers[:], os.environ.get("AWS_DEFAULT_REGION"))

    create_pipeline(parameters.model_dump(mode="json"), logging.getLogger("test"))

    assert before == (root.level, root.handlers[:], os.environ.get("AWS_DEFAULT_REGION"))


def test_the_telemetry_of_the_sdk_is_off() -> None:
    # Imported here, so that collecting tests does not wait for the SDK.
    from ml_pipeline.steps import sagemaker_sdk  # noqa: PLC0415, I001 - first, as it says where the settings lie
    from sagemaker.core.common_utils import resolve_value_from_config  # noqa: PLC0415
    from sagemaker.core.config.config import load_sagemaker_config  # noqa: PLC0415
    from sagemaker.core.config.config_schema import TELEMETRY_OPT_OUT_PATH  # noqa: PLC0415

    assert os.environ["SAGEMAKER_USER_CONFIG_OVERRIDE"] == str(sagemaker_sdk.CONFIG)
    loaded = load_sagemaker_config()
    assert resolve_value_from_config(config_path=TELEMETRY_OPT_OUT_PATH, sagemaker_config=loaded) is True


def test_a_definition_is_canonical_without_nulls_and_order() -> None:
    assert canonical('{"b": [{"c": null, "d": 1}], "a": null}') == canonical('{"b":[{"d":1}]}')
    assert canonical('{"b": 1, "a": 2}') == canonical('{"a": 2, "b": 1}')


def test_a_definition_beyond_the_limit_is_refused(parameters: PipelineParams) -> None:
    huge = parameters.model_copy(update={"trial": "t" * 2**20})

    with pytest.raises(UserError, match="SageMaker takes 1048576"):
        pipeline_definition(huge)
