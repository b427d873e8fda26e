"""The step types of definitions, by the keys that the SDK and AWS's JSON schema write.

The types that are not executed are included, so that a definition with them can be registered. An execution
of it is rejected with the names of these steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_KEYS = frozenset({"Arguments", "DependsOn", "Description", "DisplayName", "Name", "Type"})
_CACHED = frozenset({"CacheConfig"})
_RETRIED = frozenset({"RetryPolicies"})
_JOB = _CACHED | _RETRIED
_OUTPUTS = frozenset({"OutputParameters"})
_CHECK = frozenset(
    {
        "CheckType",
        "FailOnViolation",
        "ModelName",
        "ModelPackageGroupName",
        "RegisterNewBaseline",
        "SkipCheck",
        "SuppliedBaselineConstraints",
        "SuppliedBaselineStatistics",
    }
)


@dataclass(frozen=True)
class StepType:
    """A step type.

    Attributes:
        own_keys: the keys of the step type in addition to those of all steps.
        properties: the API shape of its properties, such as `Steps.train.TrainingJobArn`; None if they are
            not part of SageMaker's API.
        listed_properties: the shape of a list operation whose members are also properties.
        job_name: the execution variable with the name of its job.
        needs_arguments: whether Arguments are required.
    """

    own_keys: frozenset[str] = frozenset()
    properties: str | None = None
    listed_properties: str | None = None
    job_name: str | None = None
    needs_arguments: bool = True

    @property
    def keys(self) -> frozenset[str]:
        """All keys that a step of this type can have."""
        return _KEYS | self.own_keys


STEP_TYPES: Mapping[str, StepType] = {
    "AutoML": StepType(_JOB, "DescribeAutoMLJobResponse"),
    "Callback": StepType(_CACHED | _OUTPUTS | {"SqsQueueUrl"}, needs_arguments=False),
    "ClarifyCheck": StepType(_JOB | _CHECK),
    "Cleanup": StepType(),
    "Condition": StepType(),
    "EMR": StepType(_CACHED),
    "EMRServerless": StepType(_JOB),
    "Endpoint": StepType(_CACHED, "DescribeEndpointOutput"),
    "EndpointConfig": StepType(_JOB, "DescribeEndpointConfigOutput"),
    "Fail": StepType(),
    "ForEach": StepType(),
    "InferenceComponent": StepType(properties="DescribeInferenceComponentOutput"),
    "Job": StepType(_JOB, "DescribeJobResponse"),
    "Lambda": StepType(_CACHED | _OUTPUTS | {"FunctionArn"}, needs_arguments=False),
    "Lineage": StepType(),
    "Model": StepType(_RETRIED, "DescribeModelOutput"),
    "Processing": StepType(
        _JOB | {"PropertyFiles"}, "DescribeProcessingJobResponse", job_name="ProcessingJobName"
    ),
    "QualityCheck": StepType(_JOB | _CHECK),
    "RegisterModel": StepType(_RETRIED, "DescribeModelPackageOutput"),
    "Training": StepType(_JOB, "DescribeTrainingJobResponse", job_name="TrainingJobName"),
    "Transform": StepType(_JOB, "DescribeTransformJobResponse"),
    "Tuning": StepType(
        _JOB,
        "DescribeHyperParameterTuningJobResponse",
        "ListTrainingJobsForHyperParameterTuningJobResponse",
    ),
}
