"""Builds pipeline definitions, and caches them.

A definition is a pure function of the parameters, the code that builds it and the versions of its libraries.
It is cached in .cache/definitions/ by a hash of these, because the SageMaker SDK takes seconds to import.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.errors import UserError
from helpers.files import write_atomically
from ml_pipeline.params import PipelineParams
from ml_pipeline.params.api_limits import limits
from ml_pipeline.pipelines import Pipeline
from ml_pipeline.steps import cache
from ml_pipeline.steps.step import BuildContext

if TYPE_CHECKING:
    from sagemaker.mlops.workflow.pipeline import Pipeline as SdkPipeline

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "definitions"
_SOURCES = (
    "requirements.txt",
    "helpers/*.py",
    "helpers/infra/__init__.py",
    "helpers/infra/networking/*.py",
    "helpers/infra/tags/*.py",
    "helpers/spark/__init__.py",
    "helpers/spark/images.py",
    "helpers/spark/packages/__init__.py",
    "helpers/spark/packages/coordinates.py",
    "helpers/spark/packages/layout.py",
    "ml_pipeline/__init__.py",
    "ml_pipeline/definitions.py",
    "ml_pipeline/params/*.py",
    "ml_pipeline/pipelines/*.py",
    "ml_pipeline/steps/*",
)
"""Files whose content is part of the cache key: the code that builds definitions, and library versions."""
_KEPT = 100


@dataclass(frozen=True)
class Registration:
    """The attributes of a pipeline that can be changed after its creation."""

    definition: str
    description: str
    role_arn: str
    tags: Mapping[str, str]


def registration_of(pipeline: Pipeline, params: PipelineParams) -> Registration:
    """Return the attributes with which this checkout would register a pipeline.

    Raises:
        UserError: the definition is larger than SageMaker accepts.
    """
    definition = pipeline_definition(pipeline, params)
    return Registration(definition, pipeline.description, params.pipeline_role, params.tags)


def build_pipeline(pipeline: Pipeline, params: PipelineParams, logger: logging.Logger) -> "SdkPipeline":
    """Return a pipeline object of the SageMaker SDK, without sending requests to AWS."""
    from ml_pipeline.steps import sagemaker_sdk as sdk  # noqa: PLC0415 - takes seconds to import

    steps = pipeline.steps(params)
    logger.info("Building %s: %s", params.pipeline_name, ", ".join(step.name for step in steps))
    with sdk.building(params.region):
        session = sdk.pipeline_session(params.region, params.artifact_bucket)
        wanted: dict[str, str | None] = {cache.FORCE_RUN_PARAMETER: cache.FORCE_RUN_DEFAULT}
        for step in steps:
            wanted |= step.pipeline_parameters(params)
        parameters = {
            name: sdk.ParameterString(name=name, default_value=default) for name, default in wanted.items()
        }
        context = BuildContext(params, session, parameters)
        return sdk.Pipeline(
            name=params.pipeline_name,
            parameters=list(parameters.values()),
            steps=[step.build(context) for step in steps],
            pipeline_experiment_config=sdk.PipelineExperimentConfig(params.pipeline_name, params.trial),
            # Without this, the SDK omits the prefix of job names, which contains the environment.
            pipeline_definition_config=sdk.PipelineDefinitionConfig(use_custom_job_prefix=True),
            sagemaker_session=session,
        )


def pipeline_definition(
    pipeline: Pipeline, params: PipelineParams, logger: logging.Logger | None = None
) -> str:
    """Return the definition of a pipeline as canonical JSON. Equal parameters give equal bytes.

    Raises:
        UserError: the definition is larger than SageMaker accepts.
    """
    path = CACHE / f"{_cache_key(pipeline, params)}.json"
    if known := _read(path):
        return known
    built = build_pipeline(pipeline, params, logger or logging.getLogger(__name__))
    from ml_pipeline.steps import sagemaker_sdk as sdk  # noqa: PLC0415 - already imported

    with sdk.building(params.region):
        text = canonical(built.definition())
    size, maximum = len(text.encode()), limits("PipelineDefinition").maximum
    if size > maximum:
        raise UserError(
            f"The definition has {size} bytes, and SageMaker accepts {maximum}",
            hint="Shorten the parameters, or move steps to another pipeline with: make new-pipeline",
        )
    with suppress(OSError):  # in a read-only checkout, definitions are not cached
        _keep(path, text)
    return text


def canonical(definition: str) -> str:
    """Return a definition with sorted keys, one value per line, without nulls, which the schema forbids."""
    return json.dumps(_without_nulls(json.loads(definition)), indent=2, sort_keys=True, ensure_ascii=False)


def sources() -> Iterator[Path]:
    """Yield the files that definitions depend on, besides the parameters."""
    for pattern in _SOURCES:
        yield from sorted(path for path in ROOT.glob(pattern) if path.is_file())


def _cache_key(pipeline: Pipeline, params: PipelineParams) -> str:
    digest = hashlib.sha256(f"{pipeline.name}\n{params.model_dump_json()}\n".encode())
    for path in sources():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _read(path: Path) -> str | None:
    """Return a definition from the cache, or None if it does not exist or is not valid."""
    try:
        text = path.read_text(encoding="utf-8")
        known = json.loads(text)
    except (OSError, ValueError):
        return None
    return text if isinstance(known, dict) and "Steps" in known else None


def _keep(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text)
    newest = sorted(path.parent.glob("*.json"), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in newest[_KEPT:]:
        old.unlink(missing_ok=True)


def _without_nulls(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_nulls(item) for key, item in value.items() if item is not None}
        case list():
            return [_without_nulls(item) for item in value]
        case _:
            return value
