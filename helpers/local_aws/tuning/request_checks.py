"""Checks CreateHyperParameterTuningJob requests of valid shape, and lists what is not emulated.

The same rules check pipeline definitions, except for values that are known only during an execution.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from helpers.local_aws.api.operations import members, unsupported_members
from helpers.local_aws.training import request_checks as of_training
from helpers.local_aws.tuning.search import combinations, ranges_of
from helpers.xgboost.metric_names import NAMES

_OF_JOB, _CONFIG = "TrainingJobDefinition", "HyperParameterTuningJobConfig"
_RESOURCES = "HyperParameterTuningResourceConfig"
_SHARED = frozenset(
    {
        *("AlgorithmSpecification", "EnableInterContainerTrafficEncryption", "EnableNetworkIsolation"),
        *("Environment", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "RoleArn"),
        *("StoppingCondition", "VpcConfig"),
    }
)
"""The members that a training job definition and a CreateTrainingJob request have in common."""
MEMBERS = members(
    "HyperParameterTuningJobName",
    f"{_CONFIG}.HyperParameterTuningJobObjective",
    f"{_CONFIG}.ParameterRanges.CategoricalParameterRanges",
    f"{_CONFIG}.ParameterRanges.ContinuousParameterRanges",
    f"{_CONFIG}.ParameterRanges.IntegerParameterRanges",
    f"{_CONFIG}.RandomSeed",
    f"{_CONFIG}.ResourceLimits.MaxNumberOfTrainingJobs",
    f"{_CONFIG}.ResourceLimits.MaxParallelTrainingJobs",
    f"{_CONFIG}.Strategy",
    f"{_CONFIG}.TrainingJobEarlyStoppingType",
    f"{_CONFIG}.TuningJobCompletionCriteria.TargetObjectiveMetricValue",
    "Tags",
    f"{_OF_JOB}.DefinitionName",
    f"{_OF_JOB}.StaticHyperParameters",
    *(
        f"{_OF_JOB}.{name}"
        for name in of_training.MEMBERS
        if name.partition(".")[0] in _SHARED and ".Container" not in name  # tuning supports no entry point
    ),
    *(
        f"{_OF_JOB}.{_RESOURCES}.{name}"
        for name in ("InstanceCount", "InstanceType", "VolumeKmsKeyId", "VolumeSizeInGB")
    ),
)
"""The request members that are emulated."""
_VALUES: Mapping[str, frozenset[str]] = {
    "Strategy": frozenset({"Bayesian", "Grid", "Random"}),
    "TrainingJobEarlyStoppingType": frozenset({"Off"}),
}
"""The emulated values of configuration members."""


def training_request(request: Mapping[str, Any], name: str, tuned: Mapping[str, str]) -> dict[str, Any]:
    """Return the CreateTrainingJob request of one training job.

    Args:
        request: the CreateHyperParameterTuningJob request.
        name: name of the training job.
        tuned: the hyperparameters of this training job.
    """
    definition = request.get(_OF_JOB) or {}
    objective = _config(request).get("HyperParameterTuningJobObjective") or {}
    shared = {member: definition[member] for member in _SHARED if definition.get(member) is not None}
    return {
        "ResourceConfig": definition.get(_RESOURCES) or {},
        **shared,
        "TrainingJobName": name,
        "HyperParameters": {
            **(definition.get("StaticHyperParameters") or {}),
            **tuned,
            "_tuning_objective_metric": objective.get("MetricName"),
        },
        "Tags": request.get("Tags") or [],
    }


def request_problems(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield why AWS rejects a request of valid shape, one sentence per problem."""
    if not request.get(_OF_JOB):
        yield f"{_OF_JOB} is required"
        return
    yield from of_training.request_problems(training_request(request, "tuned", {}))
    yield from _objective_problems(request)
    yield from _range_problems(request)
    yield from _limit_problems(request)


def not_emulated(request: Mapping[str, Any]) -> list[str]:
    """Return what is not emulated of a request, such as `Strategy Hyperband`."""
    config = _config(request)
    found = set(unsupported_members(request, MEMBERS))
    found.update(
        f"{member} {config[member]}"
        for member, supported in _VALUES.items()
        if isinstance(config.get(member), str) and config[member] not in supported
    )
    found.update(of_training.not_emulated(training_request(request, "tuned", {})))
    return sorted(found)


def _config(request: Mapping[str, Any]) -> Mapping[str, Any]:
    return request.get(_CONFIG) or {}


def _objective_problems(request: Mapping[str, Any]) -> Iterator[str]:
    objective = _config(request).get("HyperParameterTuningJobObjective")
    if not objective:
        yield f"{_CONFIG}.HyperParameterTuningJobObjective is required"
        return
    metric = objective.get("MetricName")
    if isinstance(metric, str) and metric not in {f"validation:{name}" for name in NAMES}:
        yield (
            f"The objective metric {metric} is none of the algorithm's; those are validation:<metric>, as "
            "validation:rmse"
        )


def _range_problems(request: Mapping[str, Any]) -> Iterator[str]:
    ranges = ranges_of(_config(request))
    names = [each.name for each in ranges]
    static = (request[_OF_JOB].get("StaticHyperParameters") or {}).keys()
    if not names:
        yield f"{_CONFIG}.ParameterRanges must have a range"
    for name in sorted({name for name in names if names.count(name) > 1 or name in static}):
        yield f"The hyperparameter {name} is there twice in ParameterRanges and StaticHyperParameters"
    for each in ranges:
        yield from each.problems()
    if _config(request).get("Strategy") == "Grid":
        yield from (
            f"The strategy Grid takes categorical ranges alone, and {each.name} is none"
            for each in ranges
            if not each.choices
        )


def _limit_problems(request: Mapping[str, Any]) -> Iterator[str]:
    config = _config(request)
    limits = config.get("ResourceLimits") or {}
    most, parallel = limits.get("MaxNumberOfTrainingJobs"), limits.get("MaxParallelTrainingJobs")
    if config.get("Strategy") == "Grid":
        count = combinations(ranges_of(config))
        if isinstance(most, int) and most != count:
            yield f"MaxNumberOfTrainingJobs is {most}, and the grid has {count} combinations"
    elif most is None:
        yield "ResourceLimits.MaxNumberOfTrainingJobs is required"
    if isinstance(most, int) and isinstance(parallel, int) and parallel > most:
        yield f"MaxParallelTrainingJobs {parallel} is more than MaxNumberOfTrainingJobs {most}"
