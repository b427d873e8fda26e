"""The required controls, and their places in the request of each step type."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from ml_pipeline.controls.image_accounts import image_problem

MANDATORY_TAGS = ("Project", "Owner")
"""Tags that assign costs and incidents to a project and a team. The policies of roles also require them."""


class Violation(NamedTuple):
    """A problem at a JSON path, and how to fix it."""

    path: str
    problem: str
    fix: str


Check = Callable[[Any, str], Iterator[Violation]]
"""A function that checks the value at a JSON path. A missing value is None."""

Rule = tuple[str, Check]
"""A place in a step, and its check.

A place is a path of keys such as `Arguments.Tags`. In a part of the path, `A|B` means A or B. At its end, `?`
means that the part and those above it are optional, and `*` that each item of a list is checked.
"""


def is_expression(value: object) -> bool:
    """Return whether a value is an expression, such as `{"Get": "Parameters.Name"}`."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and all(key == "Get" or key.startswith("Std:") for key in value)
    )


def references(value: object) -> list[str]:
    """Return the references of the expressions in a value, such as `Parameters.Name`."""
    if isinstance(value, dict):
        if is_expression(value) and isinstance(value.get("Get"), str):
            return [value["Get"]]
        return [found for item in value.values() for found in references(item)]
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    return []


def _value(name: str, fix: str, problem: Callable[[Any], str | None]) -> Check:
    """Return a check of one value, which must be a literal in the definition."""

    def check(value: Any, path: str) -> Iterator[Violation]:
        if value is None:
            yield Violation(path, f"{name} is missing", fix)
        elif is_expression(value):
            chosen = [found for found in references(value) if found.startswith("Parameters.")]
            why = (
                f"whoever starts the pipeline chooses it with {' and '.join(chosen)}"
                if chosen
                else "it is known only during an execution"
            )
            yield Violation(path, f"{name} is not fixed: {why}", f"{fix}, in the definition itself")
        elif problem_found := problem(value):
            yield Violation(path, f"{name} {problem_found}", fix)

    return check


def _matching(pattern: str, problem_found: str) -> Callable[[Any], str | None]:
    def problem(value: Any) -> str | None:
        return (
            None if isinstance(value, str) and re.fullmatch(pattern, value) else f"{problem_found}: {value!r}"
        )

    return problem


def _each(check: Check) -> Check:
    """Return a check of all items of a list, which must not be empty."""

    def check_all(values: Any, path: str) -> Iterator[Violation]:
        if not isinstance(values, list):
            yield from check(values, path)
        elif not values:
            yield from check(None, path)
        else:
            for index, value in enumerate(values):
                yield from check(value, f"{path}[{index}]")

    return check_all


def _key(name: str) -> Check:
    # An alias can be changed to another key at any time.
    return _value(
        name,
        "name the ARN of the project's key, as arn:aws:kms:REGION:ACCOUNT:key/UUID, not an alias",
        _matching(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+", "is not the ARN of a KMS key"),
    )


def _role(name: str) -> Check:
    return _value(
        name,
        "name the ARN of the project's role",
        _matching(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", "is not the ARN of a role"),
    )


def _tags(value: Any, path: str) -> Iterator[Violation]:
    if is_expression(value):
        yield from _tag("all tags")(value, path)
        return
    places = {}
    for index, tag in enumerate(value if isinstance(value, list) else []):
        if isinstance(tag, dict) and isinstance(tag.get("Key"), str):
            places[tag["Key"]] = (tag.get("Value"), f"{path}[{index}].Value")
    for key in MANDATORY_TAGS:
        yield from _tag(key)(*places.get(key, (None, path)))


def _tag(key: str) -> Check:
    return _value(
        f"the tag {key}",
        f"give the tags {' and '.join(MANDATORY_TAGS)} a value",
        _matching(r"(?s).*\S.*", "has no value"),
    )


_SUBNETS = _each(
    _value("the subnet", "name the project's subnets", _matching("subnet-[0-9a-f]{8,17}", "is not a subnet"))
)
_SECURITY_GROUPS = _each(
    _value(
        "the security group",
        "name the project's security groups",
        _matching("sg-[0-9a-f]{8,17}", "is not a security group"),
    )
)
_TRAFFIC = _value(
    "encryption between the job's instances",
    "set it to true",
    lambda value: None if value is True else "is off",
)
_VOLUME_KEY = _key("the key of the volumes")
_OUTPUT_KEY = _key("the key of the outputs")
_ENTRY_POINT = _each(
    _value(
        "the container's entry point",
        "write the command",
        lambda value: None if isinstance(value, str) else f"is not text: {value!r}",
    )
)
_NO_SHELL = _value(
    "remote debugging, which opens a shell in the container,",
    "set it to false or leave it out",
    lambda value: None if value is False else "is on",
)


_ISOLATION = _value(
    "network isolation of the container",
    "set it to true: SageMaker moves the data, and the container needs neither network nor credentials",
    lambda value: None if value is True else "is off",
)
_PROGRAM = _value(
    "SAGEMAKER_PROGRAM",
    "remove the variable, or set it to the name of a script",
    _matching(r"\S+", "is empty: the container imports it as a module, and fails"),
)
_PENDING = _value(
    "the approval of the model package",
    "register it as PendingManualApproval: a version is approved after its registration, by a person",
    _matching("PendingManualApproval", "is given by the pipeline itself"),
)


def _no_tags(value: Any, path: str) -> Iterator[Violation]:
    if value is not None:
        yield Violation(
            path,
            "SageMaker rejects tags of a model package that has a group",
            "remove them; packages have the tags of their group",
        )


def _model(value: Any, path: str) -> Iterator[Violation]:
    """Check that a transform uses a model of the same pipeline, whose network and image are checked."""
    made = isinstance(value, dict) and is_expression(value)
    if not made or not all(found.startswith("Steps.") for found in references(value) or [""]):
        yield Violation(
            path,
            "the model is missing"
            if value is None
            else "the model is not created by the pipeline, so its network and image cannot be checked",
            'create it in a Model step and name {"Get": "Steps.<step>.ModelName"}',
        )


_CLUSTER = _value(
    "the cluster",
    "let the step create a cluster, with ClusterConfig",
    lambda value: (
        None if isinstance(value, dict) else "is not created by the pipeline, so it cannot be checked"
    ),
)
_CLUSTER_SECURITY = _value(
    "the security configuration of the cluster, with its keys and encryption in transit,",
    "name one",
    _matching(".+", "is not a name"),
)


def _container(image: Check) -> Check:
    """Return a check of a model's container. Its image is given directly or by a model package.

    SageMaker creates models only from approved packages. The image of a package is checked before approval.
    """
    package = _value(
        "the model package",
        'name its ARN, or give it as {"Get": "Parameters.ModelPackageArn"}',
        _matching(
            r"arn:aws[a-z-]*:sagemaker:[\w:-]+:model-package/[\w/-]+", "is not an ARN of a model package"
        ),
    )

    def check(value: Any, path: str) -> Iterator[Violation]:
        given = value if isinstance(value, dict) else {}
        name = given.get("ModelPackageName")
        if name is None or given.get("Image") is not None:
            yield from image(value if is_expression(value) else given.get("Image"), f"{path}.Image")
        if name is not None and references(name) != ["Parameters.ModelPackageArn"]:
            yield from package(name, f"{path}.ModelPackageName")

    return check


def _vpc(place: str) -> tuple[Rule, ...]:
    return (f"{place}.Subnets", _SUBNETS), (f"{place}.SecurityGroupIds", _SECURITY_GROUPS)


def _training(job: str, resources: str, image: Check) -> tuple[Rule, ...]:
    """Return the rules for the definition of a training job at a place."""
    return (
        *_vpc(f"{job}.VpcConfig"),
        (f"{job}.EnableInterContainerTrafficEncryption", _TRAFFIC),
        (f"{job}.EnableNetworkIsolation", _ISOLATION),
        (f"{job}.Environment?.SAGEMAKER_PROGRAM?", _PROGRAM),
        (f"{job}.HyperParameters?.sagemaker_program?", _PROGRAM),
        (f"{job}.{resources}.VolumeKmsKeyId", _VOLUME_KEY),
        (f"{job}.OutputDataConfig.KmsKeyId", _OUTPUT_KEY),
        (f"{job}.AlgorithmSpecification.TrainingImage", image),
        (f"{job}.AlgorithmSpecification.ContainerEntrypoint?", _ENTRY_POINT),
        (f"{job}.RoleArn", _role("the job's role")),
    )


def rules(own_image_accounts: Collection[str]) -> Mapping[str, tuple[Rule, ...]]:
    """Return the rules of each known step type. Types without a job may have no rules.

    A transform job has the network of its model, and a model package has the tags of its group. A definition
    does not contain what a Lambda function or a queue's consumer does, but must contain their ARN or URL.
    """
    image = _value(
        "the image",
        "use an image of AWS for the region, or name the account in ml_pipeline/controls/image_accounts.py",
        lambda uri: image_problem(uri, own_image_accounts),
    )
    container = _container(image)
    tags: Rule = ("Arguments.Tags", _tags)
    processing: tuple[Rule, ...] = (
        *_vpc("Arguments.NetworkConfig.VpcConfig"),
        ("Arguments.NetworkConfig.EnableInterContainerTrafficEncryption", _TRAFFIC),
        ("Arguments.ProcessingResources.ClusterConfig.VolumeKmsKeyId", _VOLUME_KEY),
        ("Arguments.ProcessingOutputConfig.KmsKeyId", _OUTPUT_KEY),
        ("Arguments.AppSpecification.ImageUri", image),
        ("Arguments.AppSpecification.ContainerEntrypoint?", _ENTRY_POINT),
        ("Arguments.RoleArn", _role("the job's role")),
        tags,
    )
    cluster = "Arguments.ClusterConfig?"
    return {
        "Processing": processing,
        "QualityCheck": processing,
        "ClarifyCheck": processing,
        "Training": (
            *_training("Arguments", "ResourceConfig", image),
            ("Arguments.DebugRuleConfigurations?*.RuleEvaluatorImage", image),
            ("Arguments.ProfilerRuleConfigurations?*.RuleEvaluatorImage", image),
            ("Arguments.RemoteDebugConfig?.EnableRemoteDebug?", _NO_SHELL),
            tags,
        ),
        "Tuning": (
            *_training(
                "Arguments.TrainingJobDefinition|TrainingJobDefinitions*",
                "ResourceConfig|HyperParameterTuningResourceConfig",
                image,
            ),
            tags,
        ),
        "AutoML": (
            *_vpc("Arguments.AutoMLJobConfig.SecurityConfig.VpcConfig"),
            ("Arguments.AutoMLJobConfig.SecurityConfig.EnableInterContainerTrafficEncryption", _TRAFFIC),
            ("Arguments.AutoMLJobConfig.SecurityConfig.VolumeKmsKeyId", _VOLUME_KEY),
            ("Arguments.OutputDataConfig.KmsKeyId", _OUTPUT_KEY),
            ("Arguments.RoleArn", _role("the job's role")),
            tags,
        ),
        "Transform": (
            ("Arguments.ModelName", _model),
            ("Arguments.TransformResources.VolumeKmsKeyId", _VOLUME_KEY),
            ("Arguments.TransformOutput.KmsKeyId", _OUTPUT_KEY),
            ("Arguments.DataCaptureConfig?.KmsKeyId", _key("the key of the captured data")),
            tags,
        ),
        "Model": (
            *_vpc("Arguments.VpcConfig"),
            ("Arguments.EnableNetworkIsolation", _ISOLATION),
            ("Arguments.PrimaryContainer|Containers*", container),
            ("Arguments.PrimaryContainer|Containers?*.Environment?.SAGEMAKER_PROGRAM?", _PROGRAM),
            ("Arguments.ExecutionRoleArn", _role("the model's role")),
            tags,
        ),
        "RegisterModel": (
            ("Arguments.InferenceSpecification.Containers*.Image", image),
            ("Arguments.InferenceSpecification.Containers*.Environment?.SAGEMAKER_PROGRAM?", _PROGRAM),
            ("Arguments.AdditionalInferenceSpecifications?*.Containers*.Image", image),
            (
                "Arguments.AdditionalInferenceSpecifications?*.Containers*.Environment?.SAGEMAKER_PROGRAM?",
                _PROGRAM,
            ),
            ("Arguments.ModelApprovalStatus", _PENDING),
            ("Arguments.Tags?", _no_tags),
        ),
        "EMR": (
            ("Arguments.ClusterConfig|ClusterId", _CLUSTER),
            (f"{cluster}.Instances.Ec2SubnetIds|Ec2SubnetId", _SUBNETS),
            (f"{cluster}.Instances.EmrManagedMasterSecurityGroup", _SECURITY_GROUPS),
            (f"{cluster}.Instances.EmrManagedSlaveSecurityGroup", _SECURITY_GROUPS),
            (f"{cluster}.SecurityConfiguration", _CLUSTER_SECURITY),
            (f"{cluster}.LogEncryptionKmsKeyId", _key("the key of the cluster's logs")),
            (f"{cluster}.Tags", _tags),
        ),
        "Lambda": (
            (
                "FunctionArn",
                _value(
                    "the function",
                    "name its ARN",
                    _matching(r"arn:aws[a-z-]*:lambda:[\w:$-]+", "is not the ARN of a function"),
                ),
            ),
        ),
        "Callback": (
            ("SqsQueueUrl", _value("the queue", "name its URL", _matching(r"https://\S+", "is not a URL"))),
        ),
        "Condition": (),
        "Fail": (),
        "ForEach": (),
        "Lineage": (),
    }
