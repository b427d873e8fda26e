import json
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import pytest
from rich.console import Console

from helpers.environments import Environment
from helpers.errors import UserError
from helpers.local_aws.api.shapes import request_problems
from ml_pipeline.__main__ import main
from ml_pipeline.controls.checks import findings
from ml_pipeline.definitions import Registration
from ml_pipeline.params import DEFAULT_PIPELINE, PipelineParams
from ml_pipeline.project import open_project
from ml_pipeline.releases.registration import registered
from ml_pipeline.releases.upsert import upsert_all
from tests.ml_pipeline.small_project import PIPELINE, STEP

KEY = "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
ROLE = "arn:aws:iam::123456789012:role/job"
IMAGE = "571004829621.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu-py312-v1.3"
VPC = {"Subnets": ["subnet-0123456789abcdef0"], "SecurityGroupIds": ["sg-0123456789abcdef0"]}
TAGS = [{"Key": "Project", "Value": "taxis"}, {"Key": "Owner", "Value": "riders"}]
CHOSEN = {"Get": "Parameters.Chosen"}
PACKAGE_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/group/3"
MISSING = object()

Document = dict[str, Any]


def found(definition: Document, own_image_accounts: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    return [(f.step, f.path, f.problem) for f in findings(definition, own_image_accounts)]


def changed(document: Document, path: str, value: Any) -> Document:
    """Return a copy with another value at a path such as `Steps.0.Name`; MISSING removes the value."""
    copy = deepcopy(document)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    node: Any = copy
    for part in way:
        node = node[part]
    if value is MISSING:
        del node[last]
    else:
        node[last] = value
    return copy


def as_path(path: str) -> str:
    """Return the notation of findings for a path: `$.Steps[0].Name` for `Steps.0.Name`."""
    return "$." + re.sub(r"\.(\d+)", r"[\1]", path)


# The pipeline of the small project.


def test_a_pipeline_that_is_built_here_has_every_control(definition: Document) -> None:
    assert found(definition) == []


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("NetworkConfig.VpcConfig.Subnets", MISSING, "the subnet is missing"),
        ("NetworkConfig.VpcConfig.Subnets", [], "the subnet is missing"),
        ("NetworkConfig.VpcConfig.Subnets", CHOSEN, "the subnet is not fixed: whoever starts the"),
        ("NetworkConfig.VpcConfig.Subnets.1", CHOSEN, "the subnet is not fixed: whoever starts the"),
        ("NetworkConfig.VpcConfig.Subnets.0", "default", "the subnet is not a subnet: 'default'"),
        ("NetworkConfig.VpcConfig.Subnets.0", "subnet-0123456789abcdef0,x", "the subnet is not a subnet"),
        ("NetworkConfig.VpcConfig.SecurityGroupIds", MISSING, "the security group is missing"),
        ("NetworkConfig.VpcConfig.SecurityGroupIds.0", "*", "the security group is not a security group"),
        ("NetworkConfig.EnableInterContainerTrafficEncryption", False, "instances is off"),
        ("NetworkConfig.EnableInterContainerTrafficEncryption", "true", "instances is off"),
        ("NetworkConfig.EnableInterContainerTrafficEncryption", MISSING, "instances is missing"),
        ("NetworkConfig.EnableInterContainerTrafficEncryption", CHOSEN, "with Parameters.Chosen"),
        (
            "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
            MISSING,
            "the key of the volumes is missing",
        ),
        ("ProcessingResources.ClusterConfig.VolumeKmsKeyId", None, "the key of the volumes is missing"),
        (
            "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
            "alias/aws/sagemaker",
            "volumes is not the ARN of",
        ),
        ("ProcessingResources.ClusterConfig.VolumeKmsKeyId", CHOSEN, "volumes is not fixed: whoever"),
        (
            "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
            {"Get": "Steps.other.ProcessingResources.ClusterConfig.VolumeKmsKeyId"},
            "the key of the volumes is not fixed: it is known only during an execution",
        ),
        ("ProcessingOutputConfig.KmsKeyId", MISSING, "the key of the outputs is missing"),
        (
            "ProcessingOutputConfig.KmsKeyId",
            KEY.replace(":key/", ":alias/"),
            "outputs is not the ARN of a KMS key",
        ),
        (
            "ProcessingOutputConfig.KmsKeyId",
            {"Std:Join": {"On": "/", "Values": ["arn", CHOSEN]}},
            "outputs is not fixed: whoever starts the pipeline chooses it with Parameters.Chosen",
        ),
        ("ProcessingOutputConfig", CHOSEN, "the key of the outputs is not fixed: whoever starts"),
        (
            "AppSpecification.ImageUri",
            "docker.io/library/spark:3.5",
            "the image is not an image of a registry",
        ),
        (
            "AppSpecification.ImageUri",
            IMAGE.replace("571004829621", "123456789012"),
            "the image comes from account 123456789012, which is not trusted in eu-west-1",
        ),
        ("AppSpecification.ImageUri", CHOSEN, "the image is not fixed: whoever starts the pipeline"),
        (
            "AppSpecification.ContainerEntrypoint.0",
            CHOSEN,
            "the container's entry point is not fixed",
        ),
        ("RoleArn", CHOSEN, "the job's role is not fixed: whoever starts the pipeline chooses it"),
        ("RoleArn", "job", "the job's role is not the ARN of a role: 'job'"),
        ("Environment.DB_PASSWORD", "hunter2", "DB_PASSWORD is a secret in plain text"),
        ("Environment.KEY_OF_MINE", "AKIAIOSFODNN7EXAMPLE", "it looks like a secret in plain text"),
    ],
)
def test_each_broken_control_is_one_finding(
    where: str, value: Any, message: str, definition: Document, parameters: PipelineParams
) -> None:
    ((step, path, problem),) = found(changed(definition, f"Steps.0.Arguments.{where}", value))

    assert (step, path) == (*parameters.spark_steps, as_path(f"Steps.0.Arguments.{where}"))
    assert message in problem


@pytest.mark.parametrize("key", ["Project", "Owner"])
@pytest.mark.parametrize(
    ("value", "message"), [(MISSING, "is missing"), (" ", "has no value"), (CHOSEN, "not fixed")]
)
def test_each_mandatory_tag_needs_a_value(key: str, value: Any, message: str, definition: Document) -> None:
    tags = definition["Steps"][0]["Arguments"]["Tags"]
    index = [tag["Key"] for tag in tags].index(key)
    report = found(
        changed(definition, f"Steps.0.Arguments.Tags.{index}" + ".Value" * (value is not MISSING), value)
    )

    place = "" if value is MISSING else f"[{index}].Value"
    ((_, path, problem),) = report
    assert path == f"$.Steps[0].Arguments.Tags{place}"
    assert problem.startswith(f"the tag {key} ")
    assert message in problem


def test_a_job_without_a_network_lacks_all_that_lies_in_it(definition: Document) -> None:
    report = found(changed(definition, "Steps.0.Arguments.NetworkConfig", MISSING))

    assert [path for _, path, _ in report] == [
        "$.Steps[0].Arguments.NetworkConfig.VpcConfig.Subnets",
        "$.Steps[0].Arguments.NetworkConfig.VpcConfig.SecurityGroupIds",
        "$.Steps[0].Arguments.NetworkConfig.EnableInterContainerTrafficEncryption",
    ]


# The other step types. The requests are valid for the API, except for names, which an execution sets.

TRAINING: Document = {
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "RoleArn": ROLE,
    "VpcConfig": VPC,
    "EnableInterContainerTrafficEncryption": True,
    "EnableNetworkIsolation": True,
    "OutputDataConfig": {"KmsKeyId": KEY, "S3OutputPath": "s3://bucket/models"},
    "ResourceConfig": {
        "InstanceType": "ml.m5.xlarge",
        "InstanceCount": 1,
        "VolumeSizeInGB": 30,
        "VolumeKmsKeyId": KEY,
    },
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
TUNING: Document = {
    "HyperParameterTuningJobConfig": {
        "Strategy": "Random",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
    },
    "TrainingJobDefinition": TRAINING,
    "Tags": TAGS,
}
RESOURCES = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeKmsKeyId": KEY}
TRANSFORM: Document = {
    "ModelName": {"Get": "Steps.model.ModelName"},
    "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}},
    "TransformOutput": {"S3OutputPath": "s3://bucket/out", "KmsKeyId": KEY},
    "TransformResources": RESOURCES,
    "Tags": TAGS,
}
AUTO_ML: Document = {
    "InputDataConfig": [
        {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}},
            "TargetAttributeName": "rings",
        }
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out", "KmsKeyId": KEY},
    "AutoMLJobConfig": {
        "Mode": "ENSEMBLING",
        "SecurityConfig": {
            "VolumeKmsKeyId": KEY,
            "EnableInterContainerTrafficEncryption": True,
            "VpcConfig": VPC,
        },
    },
    "RoleArn": ROLE,
    "Tags": TAGS,
}
MODEL: Document = {
    "ExecutionRoleArn": ROLE,
    "PrimaryContainer": {"Image": IMAGE},
    "EnableNetworkIsolation": True,
    "VpcConfig": VPC,
    "Tags": TAGS,
}
PACKAGE: Document = {
    "ModelPackageGroupName": "group",
    "ModelApprovalStatus": "PendingManualApproval",
    "InferenceSpecification": {"Containers": [{"Image": IMAGE}], "SupportedContentTypes": ["text/csv"]},
}
PROCESSING: Document = {
    "ProcessingResources": {"ClusterConfig": {**RESOURCES, "VolumeSizeInGB": 30}},
    "ProcessingOutputConfig": {"Outputs": [], "KmsKeyId": KEY},
    "AppSpecification": {"ImageUri": IMAGE},
    "NetworkConfig": {"VpcConfig": VPC, "EnableInterContainerTrafficEncryption": True},
    "RoleArn": ROLE,
    "Tags": TAGS,
}
EMR: Document = {
    "StepConfig": {"HadoopJarStep": {"Jar": "command-runner.jar"}},
    "ClusterConfig": {
        "Instances": {
            "Ec2SubnetIds": VPC["Subnets"],
            "EmrManagedMasterSecurityGroup": VPC["SecurityGroupIds"][0],
            "EmrManagedSlaveSecurityGroup": VPC["SecurityGroupIds"][0],
        },
        "SecurityConfiguration": "project",
        "LogEncryptionKmsKeyId": KEY,
        "Tags": TAGS,
    },
}
REQUESTS: dict[str, tuple[str, Document]] = {
    "Processing": ("CreateProcessingJob", PROCESSING),
    "QualityCheck": ("CreateProcessingJob", PROCESSING),
    "ClarifyCheck": ("CreateProcessingJob", PROCESSING),
    "Training": ("CreateTrainingJob", {**TRAINING, "Tags": TAGS}),
    "Tuning": ("CreateHyperParameterTuningJob", TUNING),
    "AutoML": ("CreateAutoMLJob", AUTO_ML),
    "Transform": ("CreateTransformJob", TRANSFORM),
    "Model": ("CreateModel", MODEL),
    "RegisterModel": ("CreateModelPackage", PACKAGE),
    "EMR": ("", EMR),
}
NAMES = {
    "CreateProcessingJob": ("ProcessingJobName",),
    "CreateTrainingJob": ("TrainingJobName",),
    "CreateHyperParameterTuningJob": ("HyperParameterTuningJobName",),
    "CreateAutoMLJob": ("AutoMLJobName",),
    "CreateTransformJob": ("TransformJobName", "ModelName"),
    "CreateModel": ("ModelName",),
}
PLACES = {
    "Processing": (
        "NetworkConfig.VpcConfig.Subnets",
        "NetworkConfig.VpcConfig.SecurityGroupIds",
        "NetworkConfig.EnableInterContainerTrafficEncryption",
        "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
        "ProcessingOutputConfig.KmsKeyId",
        "AppSpecification.ImageUri",
        "RoleArn",
    ),
    "Training": (
        "VpcConfig.Subnets",
        "VpcConfig.SecurityGroupIds",
        "EnableInterContainerTrafficEncryption",
        "EnableNetworkIsolation",
        "ResourceConfig.VolumeKmsKeyId",
        "OutputDataConfig.KmsKeyId",
        "AlgorithmSpecification.TrainingImage",
        "RoleArn",
    ),
    "AutoML": (
        "AutoMLJobConfig.SecurityConfig.VpcConfig.Subnets",
        "AutoMLJobConfig.SecurityConfig.VpcConfig.SecurityGroupIds",
        "AutoMLJobConfig.SecurityConfig.EnableInterContainerTrafficEncryption",
        "AutoMLJobConfig.SecurityConfig.VolumeKmsKeyId",
        "OutputDataConfig.KmsKeyId",
        "RoleArn",
    ),
    "Transform": ("ModelName", "TransformResources.VolumeKmsKeyId", "TransformOutput.KmsKeyId"),
    "Model": (
        "VpcConfig.Subnets",
        "VpcConfig.SecurityGroupIds",
        "EnableNetworkIsolation",
        "PrimaryContainer.Image",
        "ExecutionRoleArn",
    ),
    "RegisterModel": ("InferenceSpecification.Containers.0.Image", "ModelApprovalStatus"),
    "EMR": (
        "ClusterConfig.Instances.Ec2SubnetIds",
        "ClusterConfig.Instances.EmrManagedMasterSecurityGroup",
        "ClusterConfig.Instances.EmrManagedSlaveSecurityGroup",
        "ClusterConfig.SecurityConfiguration",
        "ClusterConfig.LogEncryptionKmsKeyId",
    ),
}
PLACES |= dict.fromkeys(("QualityCheck", "ClarifyCheck"), PLACES["Processing"])
PLACES["Tuning"] = tuple(f"TrainingJobDefinition.{place}" for place in PLACES["Training"])


def pipeline(step_type: str, arguments: Document | None = None, **more: Any) -> Document:
    request = REQUESTS[step_type][1] if arguments is None else arguments
    return {"Steps": [{"Name": "it", "Type": step_type, "Arguments": request, **more}]}


@pytest.mark.parametrize("step_type", REQUESTS)
def test_a_step_with_every_control_passes(step_type: str) -> None:
    operation, request = REQUESTS[step_type]
    named = dict.fromkeys(NAMES.get(operation, ()), "named-by-the-execution")

    assert not operation or request_problems(operation, {**request, **named}) == []
    assert found(pipeline(step_type)) == []


@pytest.mark.parametrize("value", [MISSING, CHOSEN, "anything"], ids=["missing", "chosen at start", "wrong"])
@pytest.mark.parametrize(
    ("step_type", "place"), [(step_type, place) for step_type, places in PLACES.items() for place in places]
)
def test_each_control_of_each_step_type_is_needed(step_type: str, place: str, value: Any) -> None:
    if place == "ClusterConfig.SecurityConfiguration" and value == "anything":
        value = {"EncryptionConfiguration": {}}
    report = found(changed(pipeline(step_type), f"Steps.0.Arguments.{place}", value))

    ((step, path, _),) = report
    assert (step, path) == ("it", as_path(f"Steps.0.Arguments.{place}"))


@pytest.mark.parametrize("step_type", sorted(REQUESTS.keys() - {"RegisterModel"}))
@pytest.mark.parametrize("value", [MISSING, [], CHOSEN, "Owner=me"])
def test_the_tags_of_each_step_type_are_needed(step_type: str, value: Any) -> None:
    place = "ClusterConfig.Tags" if step_type == "EMR" else "Tags"
    report = found(changed(pipeline(step_type), f"Steps.0.Arguments.{place}", value))

    assert {path for _, path, _ in report} == {f"$.Steps[0].Arguments.{place}"}
    assert len(report) == (1 if value is CHOSEN else 2)


def test_every_definition_of_a_tuning_job_is_checked() -> None:
    weak = changed(TRAINING, "VpcConfig", MISSING)
    listed = {**TUNING, "TrainingJobDefinitions": [TRAINING, weak]}
    del listed["TrainingJobDefinition"]

    report = found(pipeline("Tuning", listed))

    start = "$.Steps[0].Arguments.TrainingJobDefinitions[1].VpcConfig"
    assert [path for _, path, _ in report] == [f"{start}.Subnets", f"{start}.SecurityGroupIds"]


def test_the_resources_of_a_tuning_job_have_another_name_too() -> None:
    other = changed(TRAINING, "ResourceConfig", MISSING)
    other["HyperParameterTuningResourceConfig"] = {"VolumeKmsKeyId": KEY}
    tuning = {**TUNING, "TrainingJobDefinition": other}

    assert found(pipeline("Tuning", tuning)) == []
    other["HyperParameterTuningResourceConfig"] = {}
    assert [path for _, path, _ in found(pipeline("Tuning", tuning))] == [
        "$.Steps[0].Arguments.TrainingJobDefinition.HyperParameterTuningResourceConfig.VolumeKmsKeyId"
    ]


@pytest.mark.parametrize(
    ("step_type", "more", "place"),
    [
        (
            "Training",
            {"RemoteDebugConfig": {"EnableRemoteDebug": True}},
            "RemoteDebugConfig.EnableRemoteDebug",
        ),
        (
            "Training",
            {"RemoteDebugConfig": {"EnableRemoteDebug": CHOSEN}},
            "RemoteDebugConfig.EnableRemoteDebug",
        ),
        (
            "Training",
            {"AlgorithmSpecification": {"TrainingImage": IMAGE, "ContainerEntrypoint": ["sh", CHOSEN]}},
            "AlgorithmSpecification.ContainerEntrypoint[1]",
        ),
        (
            "Training",
            {"DebugRuleConfigurations": [{"RuleEvaluatorImage": IMAGE}, {"RuleEvaluatorImage": "other"}]},
            "DebugRuleConfigurations[1].RuleEvaluatorImage",
        ),
        (
            "Training",
            {"ProfilerRuleConfigurations": [{"RuleEvaluatorImage": "other"}]},
            "ProfilerRuleConfigurations[0].RuleEvaluatorImage",
        ),
        (
            "Transform",
            {"DataCaptureConfig": {"DestinationS3Uri": "s3://bucket/x"}},
            "DataCaptureConfig.KmsKeyId",
        ),
        (
            "Model",
            {"Containers": [{"Image": IMAGE}, {"ModelPackageName": "package"}]},
            "Containers[1].ModelPackageName",
        ),
        (
            "Model",
            {"PrimaryContainer": {"ModelPackageName": CHOSEN}},
            "PrimaryContainer.ModelPackageName",
        ),
        (
            "Model",
            {"PrimaryContainer": {"ModelPackageName": PACKAGE_ARN, "Image": "other"}},
            "PrimaryContainer.Image",
        ),
        (
            "Model",
            {"PrimaryContainer": {"Image": IMAGE, "Environment": {"SAGEMAKER_PROGRAM": ""}}},
            "PrimaryContainer.Environment.SAGEMAKER_PROGRAM",
        ),
        (
            "Training",
            {"Environment": {"SAGEMAKER_PROGRAM": CHOSEN}},
            "Environment.SAGEMAKER_PROGRAM",
        ),
        (
            "Training",
            {"HyperParameters": {"sagemaker_program": ""}},
            "HyperParameters.sagemaker_program",
        ),
        (
            "RegisterModel",
            {
                "InferenceSpecification": {
                    "Containers": [{"Image": IMAGE, "Environment": {"SAGEMAKER_PROGRAM": ""}}]
                }
            },
            "InferenceSpecification.Containers[0].Environment.SAGEMAKER_PROGRAM",
        ),
        (
            "RegisterModel",
            {
                "AdditionalInferenceSpecifications": [
                    {"Containers": [{"Image": IMAGE, "Environment": {"SAGEMAKER_PROGRAM": ""}}]}
                ]
            },
            "AdditionalInferenceSpecifications[0].Containers[0].Environment.SAGEMAKER_PROGRAM",
        ),
        ("RegisterModel", {"Tags": TAGS}, "Tags"),
        ("RegisterModel", {"Tags": []}, "Tags"),
        ("Model", {"Containers": []}, "Containers[0].Image"),
        (
            "RegisterModel",
            {"AdditionalInferenceSpecifications": [{"Containers": [{"Image": "other"}]}]},
            "AdditionalInferenceSpecifications[0].Containers[0].Image",
        ),
    ],
)
def test_what_a_step_may_leave_out_is_checked_where_it_is(step_type: str, more: Document, place: str) -> None:
    report = found(pipeline(step_type, {**REQUESTS[step_type][1], **more}))

    assert [path for _, path, _ in report] == [f"$.Steps[0].Arguments.{place}"]


@pytest.mark.parametrize("package", [PACKAGE_ARN, {"Get": "Parameters.ModelPackageArn"}])
def test_a_model_may_be_that_of_an_approved_package(package: Any) -> None:
    assert found(pipeline("Model", {**MODEL, "PrimaryContainer": {"ModelPackageName": package}})) == []


def test_a_container_may_have_variables_and_a_script() -> None:
    container = {"Image": IMAGE, "Environment": {"SAGEMAKER_PROGRAM": "serve.py", "LEVEL": ""}}

    assert found(pipeline("Model", {**MODEL, "PrimaryContainer": container})) == []


def test_remote_debugging_may_be_switched_off() -> None:
    assert found(pipeline("Training", {**TRAINING, "Tags": TAGS, "RemoteDebugConfig": {}})) == []
    off = {"RemoteDebugConfig": {"EnableRemoteDebug": False}}
    assert found(pipeline("Training", {**TRAINING, "Tags": TAGS, **off})) == []
    unclear = {"RemoteDebugConfig": {"EnableRemoteDebug": "yes"}}
    assert len(found(pipeline("Training", {**TRAINING, "Tags": TAGS, **unclear}))) == 1


@pytest.mark.parametrize("cluster", ["j-0123456789", CHOSEN])
def test_a_cluster_apart_from_the_pipeline_is_a_finding(cluster: Any) -> None:
    ((_, path, problem),) = found(pipeline("EMR", {"ClusterId": cluster}))

    assert path == "$.Steps[0].Arguments.ClusterId"
    assert problem.startswith(("the cluster is not created by the pipeline", "the cluster is not fixed"))


@pytest.mark.parametrize("step_type", ["Fail", "Condition", "ForEach", "Lineage"])
def test_a_step_without_a_job_needs_nothing(step_type: str) -> None:
    assert found(pipeline(step_type, {})) == []


@pytest.mark.parametrize(
    ("step_type", "key", "good"),
    [
        ("Lambda", "FunctionArn", "arn:aws:lambda:eu-west-1:123456789012:function:it"),
        ("Callback", "SqsQueueUrl", "https://sqs.eu-west-1.amazonaws.com/123456789012/it"),
    ],
)
def test_the_caller_is_part_of_the_definition(step_type: str, key: str, good: str) -> None:
    assert found(pipeline(step_type, {}, **{key: good})) == []
    for bad in (None, CHOSEN, "it"):
        assert [path for _, path, _ in found(pipeline(step_type, {}, **{key: bad}))] == [f"$.Steps[0].{key}"]


@pytest.mark.parametrize(
    "step_type", ["EMRServerless", "Job", "EndpointConfig", "processing", "", None, 1, ["Fail"]]
)
def test_an_unknown_step_type_never_passes(step_type: Any) -> None:
    ((step, path, problem),) = found(pipeline("Fail", {}, Type=step_type))

    assert (step, path) == ("it", "$.Steps[0].Type")
    assert problem == f"the controls of steps of type {step_type} are not known"


def test_steps_in_branches_and_loops_are_checked() -> None:
    open_job = {"Name": "open", "Type": "Transform", "Arguments": changed(TRANSFORM, "Tags.1", MISSING)}
    loop = {"Name": "loop", "Type": "ForEach", "Arguments": {"ForEachBody": [open_job]}}
    inner = {"Name": "inner", "Type": "Condition", "Arguments": {"IfSteps": [], "ElseSteps": [loop]}}
    outer = {"Name": "outer", "Type": "Condition", "Arguments": {"IfSteps": [inner, open_job]}}

    assert found({"Steps": [outer]}) == [
        ("open", f"$.Steps[0].Arguments.IfSteps{place}.Arguments.Tags", "the tag Owner is missing")
        for place in ("[0].Arguments.ElseSteps[0].Arguments.ForEachBody[0]", "[1]")
    ]


@pytest.mark.parametrize("steps", [None, [], {}, "none", [None], ["step"], [[]]])
def test_what_cannot_be_checked_is_a_finding(steps: Any) -> None:
    ((_, path, problem),) = found({"Steps": steps})

    assert path in {"$.Steps", "$.Steps[0]"}
    assert problem == "there is no step to check"


def test_a_step_without_arguments_lacks_everything() -> None:
    step = {"Name": "bare", "Type": "Processing"}

    assert len(found({"Steps": [step]})) == len(PLACES["Processing"]) + 2


def test_secrets_are_looked_for_wherever_people_write_text() -> None:
    container = changed(MODEL, "PrimaryContainer.Environment", {"API_TOKEN": "abc"})
    tuned = {**TUNING, "TrainingJobDefinition": {**TRAINING, "StaticHyperParameters": {"password": "abc"}}}
    argument = changed(PROCESSING, "AppSpecification.ContainerArguments", ["--key", "AKIAIOSFODNN7EXAMPLE"])
    inner = {"Name": "inner", "Type": "Job", "Arguments": {"Environment": {"PASSWORD": "abc"}}}

    places = [
        [path.removeprefix("$.Steps[0].Arguments.") for _, path, _ in found(definition)]
        for definition in (
            pipeline("Model", container),
            pipeline("Tuning", tuned),
            pipeline("Processing", argument),
            pipeline("Condition", {"IfSteps": [inner]}),
        )
    ]

    assert places == [
        ["PrimaryContainer.Environment.API_TOKEN"],
        ["TrainingJobDefinition.StaticHyperParameters.password"],
        ["AppSpecification.ContainerArguments[1]"],
        ["IfSteps[0].Type", "IfSteps[0].Arguments.Environment.PASSWORD"],
    ]


# The commands.

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line; return its exit code and its output."""

    def command(*words: str) -> tuple[int, str, str]:
        code = main(words)
        output = capsys.readouterr()
        return code, output.out, output.err

    return command


def test_a_file_is_checked_without_aws(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    Path("good.json").write_text(json.dumps(pipeline("Processing")))
    Path("bad.json").write_text(
        json.dumps(changed(pipeline("Processing"), "Steps.0.Arguments.RoleArn", CHOSEN))
    )

    assert run("check", "--definition", "good.json") == (0, "good.json: no findings\n", "")
    assert run("check", "--definition", "bad.json") == (
        1,
        "bad.json: step it, $.Steps[0].Arguments.RoleArn: the job's role is not fixed: whoever starts "
        "the pipeline chooses it with Parameters.Chosen; name the ARN of the project's role, in the "
        "definition itself\n"
        "bad.json: 1 finding\n",
        "",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "there is no such file"), ("[]", "found a JSON list"), ('{"Steps": [}', "line 1, column 12")],
)
def test_a_file_without_a_definition_is_an_error(
    content: str | None, message: str, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "definition.json"
    if content is not None:
        path.write_text(content)

    code, out, err = run("check", "--definition", str(path))

    assert (code, out) == (1, "")
    assert message in err
    assert "Traceback" not in err


def test_the_pipeline_of_an_environment_is_checked(stack: boto3.Session, run: Run) -> None:
    assert run("check", "--env", "local") == (0, f"{PIPELINE}-local: no findings\n", "")


@pytest.fixture
def uncached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_pipeline.definitions.CACHE", tmp_path / "definitions")


def test_upsert_rejects_a_pipeline_that_lacks_a_control(stack: boto3.Session, uncached: None) -> None:
    project = open_project(Environment("trial"), DEFAULT_PIPELINE)
    good = project.registration
    path = "Steps.0.Arguments.ProcessingOutputConfig.KmsKeyId"
    broken = changed(json.loads(good.definition), path, MISSING)
    project.__dict__["registration"] = Registration(json.dumps(broken), "", good.role_arn, {})
    before = staged(stack, project.artifact_bucket)

    with pytest.raises(
        UserError,
        match=rf"nothing was sent:\n  - {PIPELINE}-trial: step {STEP}, .*KmsKeyId: the key of the outputs",
    ):
        upsert_all([project], Console())

    assert registered(stack.client("sagemaker"), project.name) is None
    assert staged(stack, project.artifact_bucket) == before, "nor is its code staged"


def test_of_several_pipelines_none_is_sent_before_all_are_checked(
    stack: boto3.Session, uncached: None
) -> None:
    good, bad = (open_project(Environment("trial"), DEFAULT_PIPELINE) for _ in range(2))
    bad.__dict__["registration"] = Registration('{"Steps": []}', "", good.registration.role_arn, {})

    with pytest.raises(UserError, match="nothing was sent"):
        upsert_all([good, bad], Console())

    assert registered(stack.client("sagemaker"), good.name) is None


def staged(stack: boto3.Session, bucket: str) -> list[str]:
    listed = stack.client("s3").list_objects_v2(Bucket=bucket)
    return [entry["Key"] for entry in listed.get("Contents", [])]
