"""The requests with which SageMaker trains, creates, scores with and registers a model."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session

from helpers.local_aws.pipelines.definition import parse_definition
from helpers.local_aws.pipelines.expressions import references, resolve
from helpers.local_aws.pipelines.step_cache import cache_key
from helpers.local_aws.pipelines.step_requests import STEP_REQUESTS
from helpers.local_aws.registry.model_card import card_problems
from ml_pipeline import definitions
from ml_pipeline.controls.checks import findings
from ml_pipeline.definitions import pipeline_definition
from ml_pipeline.params import PipelineParams, SparkCode, load_parameters
from tests.ml_pipeline import life_cycle
from tests.ml_pipeline.building import OUTPUTS
from tests.ml_pipeline.life_cycle import DOCUMENTS, PIPELINES, SCORE, TRAIN, Document
from tests.ml_pipeline.small_project import write_params

Requests = Mapping[str, Document]
IMAGE = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ARTIFACTS = {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"}
PREPARE_JOB = {"Get": "Steps.prepare.ProcessingJobName"}


def joined(*values: Any) -> Document:
    return {"Std:Join": {"On": "/", "Values": list(values)}}


@pytest.fixture(scope="module")
def params(
    outputs: dict[str, str], small_project: None, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, PipelineParams]:
    """The parameters of both pipelines."""
    folder = tmp_path_factory.mktemp("life-cycle")
    files = write_params(folder / "params")
    for name, document in DOCUMENTS.items():
        (files / "pipelines" / f"{name}.json").write_text(json.dumps(document))
    code = SparkCode(life_cycle.write_jobs(folder / "jobs"))
    return {
        name: load_parameters("local", outputs, name, steps=each.step_types, code=code, folder=files)
        for name, each in PIPELINES.items()
    }


@pytest.fixture(scope="module")
def built(
    params: Mapping[str, PipelineParams], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Document]:
    """The definitions of both pipelines; tests must not change them. They are built without requests."""

    def send(_: object, request: Any) -> None:
        raise AssertionError(f"{request.method} {request.url} was sent while a definition was built")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(definitions, "CACHE", tmp_path_factory.mktemp("definitions"))
        patch.setattr(URLLib3Session, "send", send)
        return {name: json.loads(pipeline_definition(PIPELINES[name], params[name])) for name in PIPELINES}


def steps_of(definition: Document) -> dict[str, Document]:
    """Return the steps of a definition by name, including those in branches."""
    listed = definition["Steps"]
    nested = [each for step in listed for each in step["Arguments"].get("IfSteps", [])]
    return {step["Name"]: step for step in (*listed, *nested)}


@pytest.fixture(scope="module")
def training(built: Mapping[str, Document]) -> Requests:
    """The requests of the training pipeline."""
    return {name: step["Arguments"] for name, step in steps_of(built[TRAIN]).items()}


@pytest.fixture(scope="module")
def scoring(built: Mapping[str, Document]) -> Requests:
    """The requests of the scoring pipeline."""
    return {name: step["Arguments"] for name, step in steps_of(built[SCORE]).items()}


@pytest.mark.parametrize("name", PIPELINES)
def test_it_has_every_control_and_the_embedded_aws_takes_it(name: str, built: Mapping[str, Document]) -> None:
    assert findings(built[name]) == []
    assert parse_definition(json.dumps(built[name]))


@pytest.mark.parametrize("name", PIPELINES)
def test_two_builds_give_the_same_bytes(
    name: str, built: Mapping[str, Document], params: Mapping[str, PipelineParams], tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(definitions, "CACHE", tmp_path)
        again = pipeline_definition(PIPELINES[name], params[name])

    assert again == definitions.canonical(json.dumps(built[name]))


def test_building_calls_neither_iam_nor_s3(
    params: Mapping[str, PipelineParams], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's own builders call IAM for the role of a training step, and S3 for the bucket of a package."""
    sent: list[str] = []

    def send(_: object, request: Any) -> None:
        sent.append(request.url)
        raise ConnectionError

    monkeypatch.setattr(URLLib3Session, "send", send)
    monkeypatch.setattr(definitions, "CACHE", tmp_path)

    for name in PIPELINES:
        pipeline_definition(PIPELINES[name], params[name])

    assert sent == []


@pytest.mark.parametrize("name", PIPELINES)
def test_nothing_in_it_is_empty(name: str, built: Mapping[str, Document]) -> None:
    """An empty SAGEMAKER_PROGRAM is used as a module; an empty object, such as a bias report, is rejected."""

    def empty(value: Any, path: str) -> list[str]:
        if isinstance(value, dict):
            found = [each for key, item in value.items() for each in empty(item, f"{path}.{key}")]
            return found if value else [path]
        if isinstance(value, list):
            return [each for index, item in enumerate(value) for each in empty(item, f"{path}[{index}]")]
        return [path] if value is None or value == "" else []

    found = [
        place
        for step in steps_of(built[name]).values()
        for place in empty(step["Arguments"], step["Name"])
        if not place.endswith("ElseSteps") and "Std:Join" not in place
    ]

    assert found == []


def test_its_parameters_are_those_of_the_registry_the_commit_and_the_data(
    built: Mapping[str, Document],
) -> None:
    assert built[TRAIN]["Parameters"] == [
        {"Name": "ForceRun", "Type": "String", "DefaultValue": "no"},
        {"Name": "Fingerprint-prepare-rides", "Type": "String"},
        {"Name": "ChampionModelDataUrl", "Type": "String", "DefaultValue": "not-given"},
        {"Name": "RegisteredModelDigest", "Type": "String", "DefaultValue": "none"},
        {"Name": "Commit", "Type": "String", "DefaultValue": "unknown"},
    ]
    assert {"Name": "ModelPackageArn", "Type": "String"} in built[SCORE]["Parameters"]


def test_training_is_isolated_in_the_vpc_with_the_keys_of_volumes_and_artifacts(
    training: Requests, params: Mapping[str, PipelineParams]
) -> None:
    job, shared = training["train"], params[TRAIN]

    assert job["AlgorithmSpecification"] == {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
    assert job["EnableNetworkIsolation"] is job["EnableInterContainerTrafficEncryption"] is True
    assert job["VpcConfig"] == {
        "SecurityGroupIds": list(shared.network_security_group_ids),
        "Subnets": list(shared.network_subnet_ids),
    }
    assert job["ResourceConfig"]["VolumeKmsKeyId"] == shared.pyspark_process_volume_kms
    assert job["OutputDataConfig"]["KmsKeyId"] == OUTPUTS["ArtifactKeyArn"]
    assert job["RoleArn"] == OUTPUTS["TrainingJobRoleArn"]
    assert job["HyperParameters"] == {"num_round": "50", "eta": "0.2", "objective": "reg:squarederror"}
    assert {tag["Key"]: tag["Value"] for tag in job["Tags"]} == shared.tags
    assert {
        each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"] for each in job["InputDataConfig"]
    } == {
        channel: joined("s3://data-bucket/model/prepared", "runs", PREPARE_JOB, channel, "")
        for channel in ("train", "validation")
    }


def test_training_is_requested_as_the_sdk_would(
    training: Requests, params: Mapping[str, PipelineParams], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default, the SDK's own builder calls IAM to check the role."""
    from ml_pipeline.steps import sagemaker_sdk as sdk  # noqa: PLC0415 - takes seconds to import

    monkeypatch.setenv("SAGEMAKER_VALIDATE_ROLE", "false")
    ours, shared = training["train"], params[TRAIN]
    with sdk.building(shared.region):
        from sagemaker.core.shapes import Tag  # noqa: PLC0415
        from sagemaker.core.training import configs  # noqa: PLC0415
        from sagemaker.mlops.workflow.steps import TrainingStep  # noqa: PLC0415
        from sagemaker.train import ModelTrainer  # noqa: PLC0415

        trainer = ModelTrainer(
            training_image=IMAGE,
            role=ours["RoleArn"],
            sagemaker_session=sdk.pipeline_session(shared.region, shared.artifact_bucket),
            compute=configs.Compute(
                instance_type="ml.m5.large",
                instance_count=1,
                volume_size_in_gb=30,
                volume_kms_key_id=shared.pyspark_process_volume_kms,
            ),
            networking=configs.Networking(
                subnets=list(shared.network_subnet_ids),
                security_group_ids=list(shared.network_security_group_ids),
                enable_network_isolation=True,
                enable_inter_container_traffic_encryption=True,
            ),
            output_data_config=configs.OutputDataConfig(
                s3_output_path="s3://artifact-bucket/models",
                kms_key_id=OUTPUTS["ArtifactKeyArn"],
                compression_type="GZIP",
            ),
            hyperparameters=ours["HyperParameters"],
            environment={"FORCE_RUN": "no"},
            tags=[Tag(key=each["Key"], value=each["Value"]) for each in ours["Tags"]],
        )
        inputs = [
            configs.InputData(channel_name=name, data_source="s3://b/x", content_type="text/csv")
            for name in ("train", "validation")
        ]
        theirs = TrainingStep(name="train", step_args=trainer.train(input_data_config=inputs)).arguments

    for channel in (both := json.loads(json.dumps(ours)))["InputDataConfig"]:
        channel["DataSource"]["S3DataSource"]["S3Uri"] = "s3://b/x"
    both["Environment"] = {"FORCE_RUN": "no"}
    del both["TrainingJobName"]
    assert both == json.loads(json.dumps(theirs))


def test_a_model_is_that_of_the_training_job_or_of_the_package(
    training: Requests, scoring: Requests, params: Mapping[str, PipelineParams]
) -> None:
    assert training["model"]["PrimaryContainer"] == {"Image": IMAGE, "ModelDataUrl": ARTIFACTS}
    assert scoring["model"]["PrimaryContainer"] == {"ModelPackageName": {"Get": "Parameters.ModelPackageArn"}}
    for model in (training["model"], scoring["model"]):
        assert model["EnableNetworkIsolation"] is True
        assert model["VpcConfig"] == training["train"]["VpcConfig"]
        assert model["ExecutionRoleArn"] == OUTPUTS["TransformJobRoleArn"]
        assert {tag["Key"]: tag["Value"] for tag in model["Tags"]} == params[TRAIN].tags


def test_a_transform_scores_line_by_line_with_the_model_of_the_pipeline(
    training: Requests, params: Mapping[str, PipelineParams]
) -> None:
    job = training["score-test"]

    assert job["ModelName"] == {"Get": "Steps.model.ModelName"}
    assert job["DataProcessing"] == {"InputFilter": "$[1:]", "JoinSource": "Input"}
    assert job["TransformInput"]["SplitType"] == job["TransformOutput"]["AssembleWith"] == "Line"
    assert job["TransformOutput"]["KmsKeyId"] == params[TRAIN].pyspark_process_output_kms
    assert job["TransformResources"]["VolumeKmsKeyId"] == params[TRAIN].pyspark_process_volume_kms


def test_predictions_lie_where_their_input_and_their_model_are_named(
    training: Requests, scoring: Requests
) -> None:
    assert training["score-test"]["TransformOutput"]["S3OutputPath"] == joined(
        "s3://data-bucket/model/predictions", "runs", PREPARE_JOB, {"Get": "Steps.train.TrainingJobName"}
    )
    assert scoring["score"]["TransformOutput"]["S3OutputPath"] == joined(
        "s3://data-bucket/scores/predictions", "runs", PREPARE_JOB, {"Get": "Parameters.ModelPackageArn"}
    )


def test_a_version_is_registered_pending_with_metrics_baselines_and_origin(
    training: Requests, params: Mapping[str, PipelineParams]
) -> None:
    request = training["register"]
    prepared = "s3://data-bucket/model/prepared", "runs", PREPARE_JOB
    evaluated = "s3://data-bucket/model/evaluation", "runs", {"Get": "Steps.evaluate.ProcessingJobName"}

    assert request["ModelPackageGroupName"] == OUTPUTS["ModelPackageGroupName"]
    assert request["ModelApprovalStatus"] == "PendingManualApproval"
    assert request["InferenceSpecification"]["Containers"] == [{"Image": IMAGE, "ModelDataUrl": ARTIFACTS}]
    assert request["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] == joined(
        *evaluated, "evaluation/evaluation.json"
    )
    assert request["DriftCheckBaselines"] == {"ModelDataQuality": request["ModelMetrics"]["ModelDataQuality"]}
    assert {
        name: each["S3Uri"] for name, each in request["DriftCheckBaselines"]["ModelDataQuality"].items()
    } == {
        "Statistics": joined(*prepared, "baseline/statistics.json"),
        "Constraints": joined(*prepared, "baseline/constraints.json"),
    }
    noted = dict(request["CustomerMetadataProperties"])
    assert re.fullmatch("[0-9a-f]{16}", noted.pop("training/train"))
    assert noted == {
        "model-digest": {
            "Std:JsonGet": {"S3Uri": joined(*evaluated, "evaluation/evaluation.json"), "Path": "model_digest"}
        },
        "commit": {"Get": "Parameters.Commit"},
        "compared-with": {"Get": "Parameters.ChampionModelDataUrl"},
        "data/prepare-rides": {"Get": "Parameters.Fingerprint-prepare-rides"},
        **{f"code/{name}": step.app.split("/")[-2] for name, step in params[TRAIN].spark_steps.items()},
    }
    assert "Tags" not in request, "they are those of the group"


def test_its_card_follows_the_schema_and_is_of_this_execution(training: Requests) -> None:
    details = [{"name": "test data", "metric_groups": [{"name": "all rows", "metric_data": []}]}]
    read: list[str] = []

    def file_at(uri: str) -> Document:
        read.append(uri)
        return {"evaluation_details": json.dumps(details)}

    card = resolve(training["register"]["ModelCard"], lambda name: f"<{name}>", lambda _: None, file_at)

    from sagemaker.core.shapes.model_card_shapes import (  # noqa: PLC0415 - takes seconds to import
        ModelCardContent,
    )

    assert card["ModelCardStatus"] == "PendingReview"
    assert list(card_problems(card)) == []
    content = json.loads(card["ModelCardContent"])
    ModelCardContent.model_validate(content)  # validates with the SDK's model
    assert content["intended_uses"]["purpose_of_model"] == 'Predicts "fares" of rides.'
    assert content["evaluation_details"] == details
    (uri,) = read
    assert uri.endswith("<Steps.evaluate.ProcessingJobName>/evaluation/model_card.json")
    job = content["training_details"]["training_job_details"]
    assert job["training_arn"] == "<Steps.train.TrainingJobArn>"
    assert job["training_environment"] == {"container_image": [IMAGE]}
    assert {each["name"]: each["value"] for each in job["hyper_parameters"]}["eta"] == "0.2"
    assert content["model_overview"]["model_artifact"] == ["<Steps.train.ModelArtifacts.S3ModelArtifacts>"]
    assert content["additional_information"]["custom_details"] == {"commit": "<Parameters.Commit>"}


def test_a_version_is_registered_only_if_it_is_better_and_another_one(training: Requests) -> None:
    decision, other = training["good-enough"]["Conditions"]
    file = joined(
        "s3://data-bucket/model/evaluation",
        "runs",
        {"Get": "Steps.evaluate.ProcessingJobName"},
        "evaluation/evaluation.json",
    )

    assert decision == {
        "Type": "Equals",
        "LeftValue": {"Std:JsonGet": {"S3Uri": file, "Path": "decision"}},
        "RightValue": "register",
    }
    assert other == {
        "Type": "Not",
        "Condition": {
            "Type": "Equals",
            "LeftValue": {"Std:JsonGet": {"S3Uri": file, "Path": "model_digest"}},
            "RightValue": {"Get": "Parameters.RegisteredModelDigest"},
        },
    }
    assert [each["RightValue"] for each in training["not-good-enough"]["Conditions"]] == ["reject"]
    assert training["reject"] == {"ErrorMessage": {"Std:JsonGet": {"S3Uri": file, "Path": "reason"}}}


def test_what_the_steps_create_is_named_after_the_environment(
    training: Requests, params: Mapping[str, PipelineParams]
) -> None:
    names = {"train": "TrainingJobName", "model": "ModelName", "score-test": "TransformJobName"}

    for step, member in names.items():
        assert training[step][member] == params[TRAIN].job_prefix_of(step)


def test_faults_of_the_service_are_retried_where_the_type_of_the_step_allows_it(
    built: Mapping[str, Document],
) -> None:
    """SageMaker accepts retry policies for job errors only in steps with a job."""
    retried = {
        name: [kind for policy in step.get("RetryPolicies", []) for kind in policy["ExceptionType"]]
        for name, step in steps_of(built[TRAIN]).items()
    }

    of_steps = ["Step.SERVICE_FAULT", "Step.THROTTLING"]
    of_jobs = [*of_steps, "SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"]
    assert retried == {
        **dict.fromkeys(("prepare", "train", "score-test", "evaluate"), of_jobs),
        **dict.fromkeys(("model", "register"), of_steps),
        **{name: [] for name in ("good-enough", "not-good-enough", "reject")},
    }


def test_helper_files_whose_uris_do_not_fit_are_brought_by_an_input(
    training: Requests, params: Mapping[str, PipelineParams]
) -> None:
    job, app = training["evaluate"], params[TRAIN].spark_steps["evaluate"].app
    entry_point = job["AppSpecification"]["ContainerEntrypoint"]
    inputs = {each["InputName"]: each["S3Input"] for each in job["ProcessingInputs"]}

    files = entry_point[entry_point.index("--py-files") + 1]
    assert files.split(",") == [f"/opt/ml/processing/py-files/{name}" for name in life_cycle.HELPERS]
    assert inputs["py-files"]["S3Uri"] == app.removesuffix("evaluate.py")
    assert inputs["py-files"]["LocalPath"] == "/opt/ml/processing/py-files"
    assert "py-files" not in {each["InputName"] for each in training["prepare"]["ProcessingInputs"]}


def test_runs_that_a_version_refers_to_are_kept(training: Requests) -> None:
    assert training["evaluate"]["Environment"]["RUNS_KEPT_DAYS"] == "3650"
    assert training["prepare"]["Environment"]["RUNS_KEPT_DAYS"] == "40"


# What is reused.


def keys(definition: Document, **changes: str) -> dict[str, str]:
    """Return the cache key of each cached step; changes are by reference, with __ for dots."""
    cached = {
        name: step
        for name, step in steps_of(definition).items()
        if step.get("CacheConfig", {}).get("Enabled")
    }

    def value(reference: str) -> Any:
        if reference.endswith(".S3OutputPath"):
            step = steps_of(definition)[reference.split(".")[1]]
            output = step["Arguments"]["TransformOutput"]["S3OutputPath"]
            return resolve(output, value, lambda _: None, lambda _: None)
        return changes.get(reference.replace(".", "__"), f"the same {reference}")

    def key(name: str, step: Document) -> str:
        members = STEP_REQUESTS[step["Type"]].cache_members
        in_key = {member: step["Arguments"].get(member) for member in members}
        assert not [each for each in references(in_key) if each.startswith("Execution.")]
        return cache_key(name, resolve(in_key, value, lambda _: None, lambda _: None), members)

    return {name: key(name, step) for name, step in cached.items()}


@pytest.mark.parametrize(
    ("changes", "run_again"),
    [
        ({}, set()),
        ({"Steps__prepare__ProcessingJobName": "another"}, {"train", "evaluate"}),
        (
            {
                "Steps__train__TrainingJobName": "another",
                "Steps__train__ModelArtifacts__S3ModelArtifacts": "s3://another",
            },
            {"evaluate"},
        ),
        ({"Parameters__ChampionModelDataUrl": "s3://another"}, {"evaluate"}),
        ({"Parameters__RegisteredModelDigest": "another"}, set()),
        ({"Steps__model__ModelName": "another"}, set()),
        ({"Parameters__Commit": "another"}, set()),
        ({"Parameters__ForceRun": "f00"}, {"prepare", "train", "evaluate"}),
    ],
    ids=[
        "nothing",
        "the data were prepared again",
        "the model was trained again",
        "another version is active",
        "another version was registered",
        "another model of the same artifacts",
        "another commit",
        "forced",
    ],
)
def test_what_changes_runs_the_steps_that_depend_on_it(
    changes: dict[str, str], run_again: set[str], built: Mapping[str, Document]
) -> None:
    before, after = keys(built[TRAIN]), keys(built[TRAIN], **changes)

    assert {name for name in before if before[name] != after[name]} == run_again


def test_another_active_version_publishes_again(built: Mapping[str, Document]) -> None:
    before = keys(built[SCORE])
    after = keys(built[SCORE], Parameters__ModelPackageArn="another")

    assert {name for name in before if before[name] != after[name]} == {"publish"}


# The controls of stale results.


@pytest.mark.parametrize("named", [[], [PREPARE_JOB], [{"Get": "Steps.train.TrainingJobName"}]])
def test_predictions_that_do_not_name_what_they_are_made_of_are_stale(
    named: list[Document], built: Mapping[str, Document]
) -> None:
    weak = json.loads(json.dumps(built[TRAIN]))
    output = steps_of(weak)["score-test"]["Arguments"]["TransformOutput"]
    output["S3OutputPath"] = joined("s3://data-bucket/model/predictions", "runs", *named)

    (finding,) = findings(weak)

    assert finding.step == "evaluate"
    assert "when step score-test writes its input again" in finding.problem
    assert "S3OutputPath" in finding.fix
