"""Every condition, function, variable, property and step class of the installed SDK.

The only one of these test modules that imports the SDK, during the first test, because it takes seconds.
"""

import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.local_aws.pipelines.conditions import condition_problems, holds
from helpers.local_aws.pipelines.definition import PipelineDefinition, not_executed, parse_definition
from helpers.local_aws.pipelines.expressions import resolve
from helpers.local_aws.pipelines.step_requests import REASONS, is_executed
from helpers.local_aws.pipelines.step_types import STEP_TYPES


@pytest.fixture(scope="module")
def sdk() -> SimpleNamespace:
    """The SDK's modules for pipelines."""
    core, mlops = "sagemaker.core.workflow", "sagemaker.mlops.workflow"
    names = {
        core: ("conditions", "execution_variables", "functions", "parameters", "properties"),
        mlops: ("clarify_check_step", "quality_check_step", "retry", "step_dependency", "steps"),
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        modules = {
            name: importlib.import_module(f"{package}.{name}")
            for package, members in names.items()
            for name in members
        }
        return SimpleNamespace(workflow=importlib.import_module(mlops), **modules)


def plain(value: Any) -> Any:
    """Return what the SDK would send, with its objects replaced by their expressions."""
    return json.loads(json.dumps(value, default=lambda each: each.expr))


def fail_step(message: object, *depends_on: object) -> dict[str, Any]:
    step = {"Name": "f", "Type": "Fail", "Arguments": {"ErrorMessage": plain(message)}}
    return {**step, "DependsOn": list(depends_on)} if depends_on else step


def parsed(*steps: dict[str, Any], parameters: tuple[Any, ...] = ()) -> PipelineDefinition:
    document = {"Version": "2020-12-01", "Parameters": [p.to_request() for p in parameters], "Steps": steps}
    return parse_definition(json.dumps(plain(document)))


COMPARED = {"Equals": False, "GreaterThan": False, "GreaterThanOrEqualTo": False}
"""The conditions that 1 and 2 do not meet."""


def test_conditions_are_evaluated(sdk) -> None:
    module = sdk.conditions
    equals = module.ConditionEquals
    built = {
        module.ConditionIn: module.ConditionIn("a", ["a", "b"]),
        module.ConditionNot: module.ConditionNot(equals(1, 2)),
        module.ConditionOr: module.ConditionOr([equals(1, 2), equals(2, 2)]),
    }
    abstract = {module.Condition, module.ConditionComparison}
    classes = [
        each
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, module.Condition) and each not in abstract
    ]
    assert len(classes) >= 8

    for each in classes:
        request = plain((built.get(each) or each(1, 2)).to_request())
        assert not list(condition_problems([request], "c"))
        assert holds(request) is COMPARED.get(request["Type"], True), each


def test_functions_are_resolved(sdk) -> None:
    join, json_get = sdk.functions.Join, sdk.functions.JsonGet
    name = sdk.execution_variables.ExecutionVariables.PIPELINE_NAME
    parameter = sdk.parameters.ParameterString("P")
    documents = {"Steps.s.PropertyFiles.f": {"a": [1]}, "s3://p/x.json": {"a": [2]}}
    value = [
        join(on="/", values=["s3:/", parameter, name]),
        json_get(step_name="s", property_file="f", json_path="a[0]"),
        json_get(s3_uri=join(on="/", values=["s3:/", parameter, "x.json"]), json_path="a[0]"),
    ]

    found = resolve(plain(value), lambda reference: reference[-1:].lower(), documents.get, documents.get)

    assert found == ["s3://p/e", 1, 2]


def test_execution_variables_are_known(sdk) -> None:
    """Those of a job in steps of its type, the others in all steps."""
    jobs = {"TrainingJobName": "Training", "ProcessingJobName": "Processing"}
    of_class = sdk.execution_variables
    variables = [
        each
        for each in vars(of_class.ExecutionVariables).values()
        if isinstance(each, of_class.ExecutionVariable)
    ]
    assert {each.name for each in variables} >= jobs.keys()

    for variable in variables:
        kind = jobs.get(variable.name)
        if kind is None:
            parsed(fail_step(variable))
            continue
        with pytest.raises(ValueError, match=f"has a value in {kind} steps only"):
            parsed(fail_step(variable))
        arguments = {**ARGUMENTS.get(kind, {}), "Environment": plain({"A": variable})}
        parsed({"Name": "s", "Type": kind, "Arguments": arguments})


def test_parameters_are_known(sdk) -> None:
    module = sdk.parameters
    parameters = (
        module.ParameterString("S", default_value="a", enum_values=["a", "b"]),
        module.ParameterInteger("I", default_value=1),
        module.ParameterFloat("F", default_value=1.5),
        module.ParameterBoolean("B", default_value=True),
    )

    definition = parsed(fail_step(sdk.functions.Join(values=list(parameters))), parameters=parameters)

    assert [each.default for each in definition.parameters.values()] == ["a", 1, 1.5, True]


def test_properties_are_those_of_the_api(sdk) -> None:
    shapes = [
        (name, shape)
        for name, kind in STEP_TYPES.items()
        for shape in (kind.properties, kind.listed_properties)
        if shape
    ]

    for type_name, shape in shapes:
        properties = sdk.properties.Properties("s", shape_name=shape)
        members = [each for each in vars(properties).values() if isinstance(each, sdk.properties.Properties)]
        assert members
        step = {"Name": "s", "Type": type_name, "Arguments": ARGUMENTS.get(type_name, {})}
        parsed(step, fail_step(sdk.functions.Join(values=members)))


def bare(sdk: Any, cls: type, **attributes: Any) -> Any:
    """A step with the attributes that its class would read from a job, which the SDK creates on AWS."""
    internal_error = sdk.retry.SageMakerJobExceptionTypeEnum.INTERNAL_ERROR
    policy = sdk.retry.SageMakerJobStepRetryPolicy([internal_error], max_attempts=1)
    step = cls.__new__(cls)
    own = {
        "name": "s",
        "display_name": "d",
        "description": "e",
        "_depends_on": None,
        "cache_config": sdk.steps.CacheConfig(enable_caching=True, expire_after="P1D"),
        # The SDK rejects it for steps without a job.
        "retry_policies": [] if cls.__name__ == "ModelStep" else [policy],
        "property_files": [],
        "outputs": [],
        **dict.fromkeys(("model_package_group_name", "skip_check", "fail_on_violation"), "x"),
        **dict.fromkeys(("register_new_baseline", "supplied_baseline_statistics"), "x"),
        "supplied_baseline_constraints": "x",
        **attributes,
    }
    step.__dict__.update(own)
    return step


def step_modules(sdk: Any) -> Iterator[Any]:
    for module in pkgutil.iter_modules(sdk.workflow.__path__):
        if module.name.endswith(("_step", "steps")) and not module.name.startswith("_"):
            yield importlib.import_module(f"{sdk.workflow.__name__}.{module.name}")


def steps(sdk: Any) -> Iterator[Any]:
    predictor = SimpleNamespace(get_predictor_config=lambda: {"model_name": "m"})
    bias = object.__new__(sdk.clarify_check_step.ModelBiasCheckConfig)
    bias.model_config = predictor
    special: dict[str, dict[str, Any]] = {
        "CallbackStep": {"sqs_queue_url": "https://sqs"},
        "ClarifyCheckStep": {"clarify_check_config": bias},
        "LambdaStep": {"_get_function_arn": lambda: "arn:aws:lambda:us-east-1:123456789012:function:f"},
        "QualityCheckStep": {
            "quality_check_config": object.__new__(sdk.quality_check_step.DataQualityCheckConfig)
        },
    }
    kinds = {
        "AutoMLStep": "AUTOML",
        "CallbackStep": "CALLBACK",
        "ClarifyCheckStep": "CLARIFY_CHECK",
        "CleanupStep": "CLEANUP",
        "ConditionStep": "CONDITION",
        "EMRServerlessStep": "EMR_SERVERLESS",
        "EMRStep": "EMR",
        "EndpointConfigStep": "ENDPOINT_CONFIG",
        "EndpointStep": "ENDPOINT",
        "FailStep": "FAIL",
        "ForEachStep": "FOR_EACH",
        "InferenceComponentStep": "INFERENCE_COMPONENT",
        "JobStep": "JOB",
        "LambdaStep": "LAMBDA",
        "LineageStep": "LINEAGE",
        "ModelStep": "REGISTER_MODEL",
        "NotebookJobStep": "TRAINING",
        "ProcessingStep": "PROCESSING",
        "QualityCheckStep": "QUALITY_CHECK",
        "TrainingStep": "TRAINING",
        "TransformStep": "TRANSFORM",
        "TuningStep": "TUNING",
    }
    abstract = {"Step", "ConfigurableRetryStep"}
    found = {
        cls.__name__: cls
        for module in step_modules(sdk)
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, sdk.steps.Step) and not cls.__name__.startswith("_")
    }
    assert found.keys() - abstract == kinds.keys(), "a step class of the SDK that no test builds"
    for name, kind in kinds.items():
        yield bare(sdk, found[name], step_type=sdk.steps.StepTypeEnum[kind], **special.get(name, {}))
    yield bare(sdk, found["ModelStep"], step_type=sdk.steps.StepTypeEnum.CREATE_MODEL)


ROLE = "arn:aws:iam::123456789012:role/r"
RESOURCES = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}
TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
    "ResourceConfig": {**RESOURCES, "VolumeSizeInGB": 30},
    "RoleArn": ROLE,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
ARGUMENTS = {
    "Condition": {"Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}], "IfSteps": []},
    "Endpoint": {"EndpointName": "e", "EndpointConfigName": "c"},
    "EndpointConfig": {
        "EndpointConfigName": "c",
        "ProductionVariants": [
            {
                "VariantName": "v",
                "ModelName": "m",
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.xlarge",
            }
        ],
    },
    "Fail": {"ErrorMessage": "m"},
    "Processing": {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": "i"},
        "RoleArn": ROLE,
    },
    "Model": {"PrimaryContainer": {"Image": "i"}, "ExecutionRoleArn": ROLE},
    "RegisterModel": {"ModelPackageGroupName": "g"},
    "Training": TRAINING,
    "Transform": {
        "ModelName": "m",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b"}}},
        "TransformOutput": {"S3OutputPath": "s3://b/o"},
        "TransformResources": RESOURCES,
    },
    "Tuning": {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
            "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "eta", "Values": ["0.1"]}]},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        },
        "TrainingJobDefinition": TRAINING,
    },
}


def test_every_step_class_is_executed_or_rejected_by_its_type(sdk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    for step in steps(sdk):
        kind = step.step_type.value
        monkeypatch.setattr(type(step), "arguments", ARGUMENTS.get(kind, {}))

        definition = parsed(step.to_request())

        seen.add(kind)
        reason = f": {REASONS[kind]}" if kind in REASONS else ""
        assert not_executed(definition) == ([] if is_executed(kind) else [f"{kind} (step 's'{reason})"])
    assert seen == {kind.value for kind in sdk.steps.StepTypeEnum} == STEP_TYPES.keys()


def test_dependencies_have_their_triggers(sdk) -> None:
    first = {"Name": "first", "Type": "Fail", "Arguments": {"ErrorMessage": "m"}}
    module = sdk.step_dependency

    for trigger in module.TriggerCondition:
        request = module.StepDependency("first", trigger).to_request()
        assert parsed(first, fail_step("m", request)).steps["f"].depends_on == {"first": trigger.value}


def test_retry_policies_and_property_files_are_known(sdk) -> None:
    retry = sdk.retry
    policies = [
        retry.StepRetryPolicy(list(retry.StepExceptionTypeEnum), max_attempts=2),
        retry.SageMakerJobStepRetryPolicy(list(retry.SageMakerJobExceptionTypeEnum), expire_after_mins=5),
    ]
    output = {"S3Uri": "s3://b/o", "LocalPath": "/opt/ml/processing/o", "S3UploadMode": "EndOfJob"}
    outputs = {"Outputs": [{"OutputName": "o", "S3Output": output}]}
    step = {
        "Name": "s",
        "Type": "Processing",
        "Arguments": {**ARGUMENTS["Processing"], "ProcessingOutputConfig": outputs},
        "RetryPolicies": [policy.to_request() for policy in policies],
        "PropertyFiles": [sdk.properties.PropertyFile("f", "o", "f.json").expr],
    }

    definition = parsed(step, fail_step(sdk.functions.Join(values=[sdk.functions.JsonGet("s", "f", "a")])))

    assert len(definition.steps["s"].retry_policies) == 2
