"""Finds parameter files, and reads values that do not depend on stacks: names, code files and instances."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from helpers.environments import PREVIEW, file_of, has_previews
from helpers.environments import names as environment_names
from helpers.errors import UserError
from helpers.project_settings import project_settings
from ml_pipeline.params.documents import Document, merge, origin, read_document
from ml_pipeline.params.placeholders import resolve
from ml_pipeline.params.spark_code import CONFIGURATION, DEFAULT_HELPERS, SparkCode

KeyPath = tuple[str | int, ...]
SPARK = "Processing"
"""The type of a section without a type."""
Packages = tuple[str | None, tuple[str, ...]]
"""The packages of a step: a requirements file, and Maven coordinates of jars."""

FOLDER = Path(__file__).parent
BASE = "pipeline_params.json"
DEFAULT_PIPELINE = "processing"
"""The pipeline of pipeline_params.json; the file of any other is pipelines/<name>.json."""
SHARED_KEYS = frozenset(
    {
        "pipeline_role",
        "job_name_prefix",
        "pyspark_process_role",
        "network_subnet_ids",
        "network_security_group_ids",
        "enable_network_isolation",
        "pyspark_process_volume_kms",
        "pyspark_process_output_kms",
        "process_spark_ui_log_output",
        "pyspark_framework_version",
        "tags",
    }
)
"""The keys that other pipelines inherit from pipeline_params.json and its overlays."""
OVERLAYS = "environments"
"""The section of a pipeline's own file that holds its overlays, by environment."""

_EXAMPLE_NAME = "Rates-${Environment}"
CODE_KEYS = ("pyspark_process_code", "pyspark_helper_code", "pyspark_library_code", "spark_config_file")
"""The keys of the first pipeline whose files are staged."""


def parameter_file(pipeline: str, folder: Path | None = None) -> Path:
    """Return the path of a pipeline's parameter file."""
    folder = folder or FOLDER
    return folder / BASE if pipeline == DEFAULT_PIPELINE else folder / "pipelines" / f"{pipeline}.json"


def pipeline_name(environment: str, pipeline: str = DEFAULT_PIPELINE, folder: Path | None = None) -> str:
    """Return the name of a pipeline in SageMaker, which does not depend on stacks.

    Raises:
        UserError: a file cannot be read, or has no such name.
    """
    documents = read_documents(environment, pipeline, folder)
    file = origin(("pipeline_name",), documents)
    written = merged(documents).get("pipeline_name")
    if not isinstance(written, str):
        raise UserError(f"{file}: pipeline_name is not a string", hint=f"Write one, as {_EXAMPLE_NAME}")
    problems: list[str] = []
    name = resolve(written, placeholder_names(environment), lambda _, hint: problems.append(hint))
    if problems:
        raise UserError(
            f"{file}: pipeline_name: {problems[0]}", hint=f"Correct pipeline_name, as {_EXAMPLE_NAME}"
        )
    return str(name)


def is_enabled(environment: str, pipeline: str, folder: Path | None = None) -> bool:
    """Return whether a pipeline is executed in an environment; the first one is in all.

    Raises:
        UserError: a file cannot be read, or `enabled` is neither true nor false.
    """
    if pipeline == DEFAULT_PIPELINE:
        return True
    documents = read_documents(environment, pipeline, folder)
    enabled = merged(documents).get("enabled", True)
    if not isinstance(enabled, bool):
        file = origin(("enabled",), documents)
        raise UserError(
            f"{file}: enabled = {enabled!r} is not a Boolean", hint="Use true or false, without quotes"
        )
    return enabled


class StepInstances(NamedTuple):
    """The instances of a step's job."""

    instance_type: str
    instance_count: int
    step_type: str = SPARK
    """`Processing`, `Training` or `Transform`: SageMaker has instances and quotas for each."""


def step_instances(
    environment: str, pipeline: str = DEFAULT_PIPELINE, folder: Path | None = None
) -> dict[str, StepInstances]:
    """Return the instances of each step with a job, which do not depend on stacks.

    Raises:
        UserError: a parameter file cannot be read.
    """
    raw = merged(read_documents(environment, pipeline, folder))
    found: dict[str, StepInstances] = {}
    if name := raw.get("pyspark_process_name"):
        kind, count = (raw.get(f"pyspark_process_instance_{key}") for key in ("type", "count"))
        found[str(name)] = StepInstances(str(kind), int(count or 0))
    for name, section in step_sections(raw).items():
        if "instance_type" in section:
            instances = str(section["instance_type"]), int(section.get("instance_count", 1))
            found[name] = StepInstances(*instances, step_type=str(section.get("type", SPARK)))
    return found


def code_hashes(
    environment: str,
    pipeline: str = DEFAULT_PIPELINE,
    code: SparkCode | None = None,
    folder: Path | None = None,
) -> dict[str, str]:
    """Return the content hash of each step's files, which does not depend on stacks.

    Raises:
        UserError: a parameter file or a file of a step cannot be read.
    """
    code, raw = code or SparkCode(), merged(read_documents(environment, pipeline, folder))
    named = {str(raw.get("pyspark_process_name", "")): (flat_files(raw), flat_packages(raw))}
    if not flat_files(raw):
        named.clear()
    named |= {
        name: (step_files(name, section), step_packages(section))
        for name, section in step_sections(raw).items()
        if is_spark(section)
    }
    return {
        name: code.hash(files.values(), code.bundle(*packages)) for name, (files, packages) in named.items()
    }


def packages_of(
    environment: str, pipeline: str = DEFAULT_PIPELINE, folder: Path | None = None
) -> list[Packages]:
    """Return the packages of each step that has packages.

    Raises:
        UserError: a parameter file cannot be read.
    """
    raw = merged(read_documents(environment, pipeline, folder))
    found = [flat_packages(raw), *map(step_packages, step_sections(raw).values())]
    return [each for each in found if any(each)]


def read_documents(environment: str, pipeline: str, folder: Path | None) -> list[Document]:
    """Return the documents of a pipeline's parameters; each overrides those before it."""
    folder = folder or FOLDER
    base, overlay = read_document(folder / BASE), read_document(folder / file_of(environment))
    if pipeline == DEFAULT_PIPELINE:
        return [base, overlay]
    own = read_document(parameter_file(pipeline, folder))
    values = dict(own.values)
    overlays = values.pop(OVERLAYS, {})
    if not isinstance(overlays, dict) or not all(isinstance(each, dict) for each in overlays.values()):
        raise UserError(
            f"{own.name}: {OVERLAYS} is not an object of objects",
            hint='Write an object for each environment, as {"dev": {…}}',
        )
    known = [*environment_names(), *([PREVIEW] if has_previews() else [])]
    if unknown := sorted(overlays.keys() - known):
        raise UserError(
            f"{own.name}: {OVERLAYS}.{unknown[0]}: unknown environment; expected one of {', '.join(known)}",
            hint=f"Rename it, or create infra/parameters/{unknown[0]}.json",
        )
    name = PurePosixPath(file_of(environment)).stem
    return [
        *(
            Document(each.name, {k: v for k, v in each.values.items() if k in SHARED_KEYS})
            for each in (base, overlay)
        ),
        Document(own.name, values),
        Document(f"{own.name}, {OVERLAYS}.{name}", overlays.get(name, {})),
    ]


def merged(documents: Sequence[Document]) -> dict[str, Any]:
    """Merge documents; each overrides those before it."""
    raw: dict[str, Any] = {}
    for document in documents:
        raw = merge(raw, document.values)
    return raw


def placeholder_names(environment: str) -> dict[str, str]:
    """Return the values of the placeholders that are not outputs of stacks."""
    project = project_settings()
    return {"Environment": environment, "ProjectName": project.project_name, "Owner": project.owner}


def step_sections(raw: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the sections of steps that are objects."""
    steps = raw.get("steps", {})
    found = steps.items() if isinstance(steps, dict) else ()
    return {name: section for name, section in found if isinstance(section, dict)}


def flat_files(raw: Mapping[str, Any]) -> dict[KeyPath, str]:
    """Return the files of the first pipeline's step by the keys that name them."""
    return {(key,): PurePosixPath(raw[key]).name for key in CODE_KEYS if isinstance(raw.get(key), str)}


def is_spark(section: Mapping[str, Any]) -> bool:
    """Return whether a section is that of a Spark step."""
    return bool(section.get("type", SPARK) == SPARK)


def step_files(name: str, section: Mapping[str, Any]) -> dict[KeyPath, str]:
    """Return the files of a step with a section by the keys that name them; only Spark steps have files."""
    if not is_spark(section):
        return {}
    helpers = section.get("helper_files", DEFAULT_HELPERS)
    files: dict[KeyPath, Any] = {
        ("steps", name, "code"): section.get("code"),
        ("steps", name, "configuration"): section.get("configuration", CONFIGURATION),
        **{
            ("steps", name, "helper_files", index): file
            for index, file in enumerate(helpers if isinstance(helpers, list | tuple) else [])
        },
    }
    return {path: file for path, file in files.items() if isinstance(file, str)}


def flat_packages(raw: Mapping[str, Any]) -> Packages:
    """Return the packages of the first pipeline's step."""
    return _packages(raw.get("pyspark_process_requirements"), raw.get("pyspark_process_jars"))


def step_packages(section: Mapping[str, Any]) -> Packages:
    """Return the packages of a step with a section."""
    return _packages(section.get("requirements"), section.get("jars")) if is_spark(section) else (None, ())


def _packages(requirements: Any, jars: Any) -> Packages:
    """Return the packages of well-formed values; the model reports the others."""
    listed = jars if isinstance(jars, list) else []
    named = tuple(each for each in listed if isinstance(each, str) and each.count(":") == 2)
    is_source = isinstance(requirements, str) and requirements.endswith(".in")
    return requirements if is_source else None, named
