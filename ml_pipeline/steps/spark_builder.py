"""Builds a Spark step: a processing job in the VPC, encrypted with the project's keys, cached and retried.

Importing this imports the SDK, which takes seconds.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from helpers.infra.networking.networking import get_network_configuration
from helpers.infra.tags.tags import get_tags_input
from helpers.spark.images import PYTHON_VERSION
from helpers.spark.packages.layout import JARS, PYTHON
from ml_pipeline.params.api_limits import limits
from ml_pipeline.params.step_values import ParameterValue
from ml_pipeline.steps import cache
from ml_pipeline.steps import sagemaker_sdk as sdk
from ml_pipeline.steps.request_step import job_retries
from ml_pipeline.steps.results import location_of
from ml_pipeline.steps.step import BuildContext

if TYPE_CHECKING:
    from ml_pipeline.params import SparkStepSpec
    from ml_pipeline.params.step_values import Argument

CONTAINER_VERSION = "1.3"
CONFIGURATION_FOLDER = "/opt/ml/processing/input/conf"
PACKAGES_FOLDER = "/opt/ml/processing/packages"
"""The folder of packages and jars in the container, with a subfolder named after the hash of their content.

The hash makes them part of the environment and the command line, and so of the cache key.
"""
PY_FILES_FOLDER = "/opt/ml/processing/py-files"
"""Where helper files lie whose URIs are too long, all of them together, for a word of the command line."""
JOB_CONFIGURATION = "/opt/ml/config/processingjobconfig.json"
"""The path of SageMaker's description of the job, which includes its name."""


class _Processor(sdk.PySparkProcessor):  # type: ignore[misc]  # the SDK has no types
    """The SDK's processor, which also accepts paths of files that an input provides."""

    def _stage_submit_deps(self, submit_deps: list[str], input_channel_name: str) -> Any:
        if all(path.startswith((PACKAGES_FOLDER, PY_FILES_FOLDER)) for path in submit_deps):
            return None, ",".join(submit_deps)
        return super()._stage_submit_deps(submit_deps, input_channel_name)


def build_spark_step(spec: "SparkStepSpec", context: BuildContext) -> sdk.ProcessingStep:
    """Return the step of the SDK."""
    params = context.params
    processor = _Processor(
        framework_version=params.pyspark_framework_version,
        py_version=PYTHON_VERSION,
        container_version=CONTAINER_VERSION,
        role=params.job_role,
        instance_type=spec.instance_type,
        instance_count=spec.instance_count,
        volume_size_in_gb=spec.volume_size_gb,
        volume_kms_key=params.pyspark_process_volume_kms,
        output_kms_key=params.pyspark_process_output_kms,
        max_runtime_in_seconds=spec.max_runtime_seconds,
        network_config=get_network_configuration(
            params.network_subnet_ids,
            params.network_security_group_ids,
            enable_network_isolation=params.enable_network_isolation,
        ),
        env=_environment(spec, context),
        tags=get_tags_input(params.tags),
        sagemaker_session=context.session,
    )
    folder, own = params.event_logs_of(spec.name)
    packages = [_packages(spec.package_folder)] if spec.package_folder else []
    jars = [f"{_packages_path(spec.package_folder)}/{JARS}"] if spec.package_folder and spec.jars else None
    py_files, brought = _py_files(spec)
    arguments = processor.run(
        job_name=params.job_prefix_of(spec.name),
        submit_app=spec.app,
        submit_py_files=py_files,
        submit_jars=jars,
        arguments=list(_arguments(spec, context)),
        inputs=[_input("conf", spec.configuration, CONFIGURATION_FOLDER), *packages, *brought],
        # Each execution and step has its own folder. Outputs are not part of the cache key.
        spark_event_logs_s3_uri=sdk.Join(
            on="/", values=[folder, sdk.ExecutionVariables.PIPELINE_EXECUTION_ID, own]
        ),
    )
    return sdk.ProcessingStep(
        name=spec.name,
        step_args=arguments,
        cache_config=sdk.CacheConfig(enable_caching=True, expire_after=spec.cache_expires_after),
        retry_policies=job_retries(spec.retry_attempts),
    )


def _environment(spec: "SparkStepSpec", context: BuildContext) -> dict[str, Any]:
    imports = (
        {"PYTHONPATH": f"{_packages_path(spec.package_folder)}/{PYTHON}"}
        if spec.package_folder and spec.requirements
        else {}
    )
    return {
        **imports,
        cache.FORCE_RUN_VARIABLE: context.parameters[cache.FORCE_RUN_PARAMETER],
        **{
            cache.fingerprint_variable(name): context.parameters[cache.fingerprint_parameter(spec.name, name)]
            for name in spec.data_inputs
        },
        cache.OUTPUTS_VARIABLE: ",".join(spec.outputs),
        "PROCESSING_JOB_CONFIG": JOB_CONFIGURATION,
        "REPORT_FOLDER": spec.report_folder,
        "RUNS_KEPT_DAYS": str(max(cache.days_reusable(spec.cache_expires_after), spec.runs_kept_days or 0)),
    }


def _arguments(spec: "SparkStepSpec", context: BuildContext) -> Iterator[Any]:
    """Yield the arguments of the job: inputs, outputs, and those of its section."""
    params = context.params
    for name, given in spec.inputs.items():
        yield f"--{name}"
        yield location_of(params, given.result) if given.result else given.uri
    for name, uri in spec.outputs.items():
        yield from (f"--{name}", uri)
    for name, value in spec.arguments.items():
        yield from (f"--{name}", _argument(value, context))


def _argument(value: "Argument", context: BuildContext) -> Any:
    match value:
        case ParameterValue(parameter=name):
            return context.parameters[name]
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _py_files(spec: "SparkStepSpec") -> tuple[list[str], list[Any]]:
    """Return the value of `--py-files`, and the input that provides the files if their URIs are too long."""
    if len(",".join(spec.py_files)) <= limits("ContainerEntrypointString").maximum:
        return list(spec.py_files), []
    folder = spec.app.rpartition("/")[0]  # named after the hash of all these files
    paths = [f"{PY_FILES_FOLDER}/{uri.rpartition('/')[2]}" for uri in spec.py_files]
    return paths, [_input("py-files", f"{folder}/", PY_FILES_FOLDER)]


def _packages(folder: str) -> Any:
    """Return the input that copies packages and jars to every instance."""
    return _input("packages", f"{folder.rstrip('/')}/", _packages_path(folder))


def _packages_path(folder: str) -> str:
    return f"{PACKAGES_FOLDER}/{folder.rstrip('/').rpartition('/')[2]}"


def _input(name: str, uri: str, path: str) -> Any:
    return sdk.ProcessingInput(
        input_name=name,
        s3_input=sdk.ProcessingS3Input(
            s3_uri=uri,
            local_path=path,
            s3_data_type="S3Prefix",
            s3_input_mode="File",
            s3_data_distribution_type="FullyReplicated",
            s3_compression_type="None",
        ),
    )
