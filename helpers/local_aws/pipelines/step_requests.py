"""The API requests of steps by step type: their operations and validation."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.local_aws.endpoints import request_checks as of_endpoints
from helpers.local_aws.models import request_checks as of_models
from helpers.local_aws.processing import request_checks as of_processing
from helpers.local_aws.registry import package_checks as of_packages
from helpers.local_aws.training import request_checks as of_training
from helpers.local_aws.transform import request_checks as of_transforms
from helpers.local_aws.tuning import request_checks as of_tuning

Request = Mapping[str, Any]


@dataclass(frozen=True)
class StepRequest:
    """The API request of a step type.

    Attributes:
        operation: the API operation, such as `CreateProcessingJob`.
        metadata: the member of a step's Metadata with the ARN of the created resource.
        name_member: the request member for the generated name.
        problems: yields why the operation rejects a request of valid shape.
        not_emulated: returns what is not emulated of a request.
        cache_members: paths of the members that are compared for caching; if empty, the type is never cached.
            https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html
    """

    operation: str
    metadata: str
    name_member: str | None
    problems: Callable[[Request], Iterable[str]]
    not_emulated: Callable[[Request], list[str]]
    cache_members: tuple[str, ...] = ()


STEP_REQUESTS: Mapping[str, StepRequest] = {
    "Endpoint": StepRequest(
        "CreateEndpoint",
        "Endpoint",
        None,
        of_endpoints.endpoint_problems,
        of_endpoints.endpoint_not_emulated,
    ),
    "EndpointConfig": StepRequest(
        "CreateEndpointConfig",
        "EndpointConfig",
        None,
        of_endpoints.config_problems,
        of_endpoints.config_not_emulated,
    ),
    "Model": StepRequest(
        "CreateModel", "Model", "ModelName", of_models.request_problems, of_models.not_emulated
    ),
    "Processing": StepRequest(
        "CreateProcessingJob",
        "ProcessingJob",
        "ProcessingJobName",
        of_processing.request_problems,
        of_processing.not_emulated,
        ("AppSpecification", "Environment", "ProcessingInputs"),
    ),
    "RegisterModel": StepRequest(
        "CreateModelPackage", "RegisterModel", None, of_packages.request_problems, of_packages.not_emulated
    ),
    "Training": StepRequest(
        "CreateTrainingJob",
        "TrainingJob",
        "TrainingJobName",
        of_training.request_problems,
        of_training.not_emulated,
        (
            *("AlgorithmSpecification", "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations"),
            *("Environment", "HyperParameters", "InputDataConfig"),
        ),
    ),
    "Transform": StepRequest(
        "CreateTransformJob",
        "TransformJob",
        "TransformJobName",
        of_transforms.request_problems,
        of_transforms.not_emulated,
        ("DataProcessing", "Environment", "ModelName", "TransformInput"),
    ),
    "Tuning": StepRequest(
        "CreateHyperParameterTuningJob",
        "TuningJob",
        "HyperParameterTuningJobName",
        of_tuning.request_problems,
        of_tuning.not_emulated,
        (
            *("HyperParameterTuningJobConfig", "TrainingJobDefinition.AlgorithmSpecification"),
            *("TrainingJobDefinition.HyperParameterRanges", "TrainingJobDefinition.InputDataConfig"),
            *("TrainingJobDefinition.StaticHyperParameters", "TrainingJobDefinition.TuningObjective"),
            "TrainingJobDefinitions",
        ),
    ),
}
REASONS: Mapping[str, str] = {
    "ClarifyCheck": "its image is closed, and SageMaker Clarify's monitoring takes no new customers",
    "EMR": "there is no EMR cluster",
    "EMRServerless": "there is no EMR application",
    "Lambda": "there are no Lambda functions",
    "QualityCheck": "its image is closed, and SageMaker Model Monitor takes no new customers",
}
"""Reasons why step types are not executed, other than missing demand."""


def is_executed(step_type: str) -> bool:
    """Return whether executions run steps of a type; an execution with others is rejected."""
    return step_type in STEP_REQUESTS or step_type in {"Callback", "Condition", "Fail"}
