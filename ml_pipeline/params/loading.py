"""Loads the parameters of a pipeline: reads, merges, resolves and validates, and reports all problems."""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from helpers.errors import UserError, one_per_line
from helpers.infra.tags.tags import tag_problems
from ml_pipeline.params.documents import Document, lookup, origin
from ml_pipeline.params.files import (
    DEFAULT_PIPELINE,
    SPARK,
    KeyPath,
    Packages,
    flat_files,
    flat_packages,
    is_spark,
    merged,
    placeholder_names,
    read_documents,
    step_files,
    step_packages,
    step_sections,
)
from ml_pipeline.params.model import PipelineParams, model_of
from ml_pipeline.params.placeholders import resolve
from ml_pipeline.params.sections import SECTIONS, OtherSection, Section, section_type
from ml_pipeline.params.spark_code import CODE_FOLDER, HASH_DIGITS, PACKAGE_FOLDER, SparkCode
from ml_pipeline.params.spark_step import SparkStepParams, SparkStepSpec, spec_of
from ml_pipeline.params.step_problems import section_problems, step_problems
from ml_pipeline.params.step_values import StepName

_STEPS = TypeAdapter(dict[StepName, Section])

Steps = Callable[[Mapping[str, Any]], Mapping[str, str]]
"""Returns the types of a pipeline module's steps by name, given the parameters by key."""

_FLAT_KEYS = {
    ("inputs", "input_table"): "pyspark_process_data_input",
    ("outputs", "output_table"): "pyspark_process_data_output",
    ("arguments", "max_rejected_fraction"): "pyspark_process_max_rejected_fraction",
}
"""The keys of the first pipeline's step by the corresponding path in a section."""

_HINTS = {
    "missing": "it is missing; add it",
    "string_type": "it must be a string in quotes",
    "int_type": "it must be a whole number, as 2",
    "int_from_float": "it must be a whole number, as 2",
    "float_type": "it must be a number, as 0.5",
    "bool_type": "it must be true or false, without quotes",
    "tuple_type": "it must be a list […]",
    "dict_type": "it must be an object {…}",
}


def load_parameters(
    environment: str,
    outputs: Mapping[str, str],
    pipeline: str = DEFAULT_PIPELINE,
    *,
    steps: Steps | None = None,
    code: SparkCode | None = None,
    folder: Path | None = None,
) -> PipelineParams:
    """Return the parameters of a pipeline in an environment.

    Args:
        environment: chooses the overlay, and is the value of `${Environment}`.
        outputs: the outputs of the environment's stacks, each the value of a placeholder.
        pipeline: the name of the pipeline's module and parameter file.
        steps: the steps that the module declares, to compare with the sections; not compared by default.
        code: the files that Spark runs, whose hash is the value of `${CodeHash}`; spark_jobs/ by default.
        folder: the folder of the parameter files; ml_pipeline/params/ by default.

    Raises:
        UserError: a file cannot be read, or values are not valid; the message names every problem.
    """
    code = code or SparkCode()
    documents = read_documents(environment, pipeline, folder)
    raw = merged(documents)
    model = model_of(raw) if pipeline == DEFAULT_PIPELINE else PipelineParams
    problems: dict[KeyPath, str] = {}
    resolved = _resolved(raw, {**placeholder_names(environment), **outputs}, code, problems)
    parameters = None
    try:
        parameters = model.model_validate_json(json.dumps(resolved))
    except ValidationError as error:
        for path, hint in _found(error, resolved, model):
            if not any(known[: len(path)] == path for known in problems):
                problems[path] = hint
    sections = step_sections(raw).items()
    files = [flat_files(raw), *(step_files(name, section) for name, section in sections)]
    for path, hint in (
        *((path, hint) for each in files for path, hint in _missing_files(each, code).items()),
        *_step_problems(resolved, parameters or model, steps, pipeline, code),
    ):
        problems.setdefault(path, hint)
    if parameters and not parameters.pipeline_name.endswith(f"-{environment}"):
        problems[("pipeline_name",)] = "end it with -${Environment}: the roles may create no other pipeline"
    own = "{ProjectName}-{Environment}".format_map(placeholder_names(environment))
    if parameters and not f"{parameters.job_name_prefix}-".startswith(f"{own}-"):
        problems[("job_name_prefix",)] = (
            "begin it with ${ProjectName}-${Environment}: the roles may create and read no other jobs"
        )
    if parameters and not parameters.spark_steps:
        problems[("steps",)] = "it is missing; add a section for each step"
    if problems or parameters is None:
        lines = [
            line
            for path, hint in sorted(problems.items(), key=str)
            for line in _lines(path, hint, raw, resolved, documents, model)
        ]
        raise UserError(
            f"The parameters of pipeline {pipeline} in {environment} are not valid:{one_per_line(lines)}",
            hint=f"Correct the files in ml_pipeline/params, then run: make plan ENV={environment}",
        )
    return parameters


def _resolved(
    raw: Mapping[str, Any], names: Mapping[str, str], code: SparkCode, problems: dict[KeyPath, str]
) -> dict[str, Any]:
    """Return the values with placeholders replaced; `${CodeHash}` differs by step."""

    def resolved(value: Any, path: KeyPath, files: Mapping[KeyPath, str], packages: Packages) -> Any:
        known = {**names, **_hashes(files, packages, path, code, problems)}
        return resolve(value, known, lambda place, hint: problems.update({place: hint}), path)

    flat = {key: value for key, value in raw.items() if key != "steps"}
    if any(flat_packages(raw)):
        flat = {"pyspark_process_package_folder": PACKAGE_FOLDER, **flat}
    values: dict[str, Any] = resolved(flat, (), flat_files(raw), flat_packages(raw))
    if not isinstance(raw.get("steps", {}), dict):
        return {**values, "steps": raw["steps"]}
    steps = {
        name: resolved(
            {**_folders(section), **section},
            ("steps", name),
            step_files(name, section),
            step_packages(section),
        )
        for name, section in step_sections(raw).items()
    }
    return {**values, "steps": {**raw.get("steps", {}), **steps}}


def _folders(section: Mapping[str, Any]) -> dict[str, str]:
    """Return the folders of a Spark step by the keys that may override them."""
    packages = {"package_folder": PACKAGE_FOLDER} if any(step_packages(section)) else {}
    return {"code_folder": CODE_FOLDER, **packages} if is_spark(section) else {}


def _hashes(
    files: Mapping[KeyPath, str],
    packages: Packages,
    path: KeyPath,
    code: SparkCode,
    problems: dict[KeyPath, str],
) -> dict[str, str]:
    """Return the placeholders of a step's content hashes; zeros if the content has a problem."""
    none = "0" * HASH_DIGITS
    requirements, jars = packages
    found = {}
    for key, part in {"requirements": (requirements, ()), "jars": (None, jars)}.items():
        try:
            code.bundle(*part)
        except UserError as error:
            found[(*path, key) if path else (f"pyspark_process_{key}",)] = error.in_one_line()
    if found:
        problems.update(found)
        return {"CodeHash": none, "PackageHash": none}
    bundle = code.bundle(*packages)
    return {
        "CodeHash": none if _missing_files(files, code) else code.hash(files.values(), bundle),
        "PackageHash": bundle.digest[:HASH_DIGITS] if bundle else none,
    }


def _missing_files(files: Mapping[KeyPath, str], code: SparkCode) -> dict[KeyPath, str]:
    missing = {}
    for path, name in files.items():
        try:
            code.read(name)
        except UserError as error:
            missing[path] = error.in_one_line()
    return missing


def _step_problems(
    resolved: Mapping[str, Any],
    loaded: PipelineParams | type[PipelineParams],
    steps: Steps | None,
    pipeline: str,
    code: SparkCode,
) -> list[tuple[KeyPath, str]]:
    found: list[tuple[KeyPath, str]] = []
    sections = resolved.get("steps", {})
    own = resolved.get("pyspark_process_name")
    if steps is not None and isinstance(sections, dict):
        module = f"ml_pipeline/pipelines/{pipeline.replace('-', '_')}.py"
        given = {own: SPARK} if own else {}
        given |= {name: str(section_type(section)) for name, section in sections.items()}
        with suppress(KeyError):  # the module reads a missing key, which is reported elsewhere
            found += [
                (("steps", *path), hint) for path, hint in section_problems(given, steps(resolved), module)
            ]
    names = {own} if own else set()
    names |= sections.keys() if isinstance(sections, dict) else set()
    spark_steps, others = (
        (loaded.spark_steps, loaded.other_steps)
        if isinstance(loaded, PipelineParams)
        else _valid_steps(resolved, loaded)
    )
    for path, hint in step_problems(spark_steps, others, code, names - spark_steps.keys() - others.keys()):
        flat = _FLAT_KEYS.get((str(path[1]), str(path[2]))) if path[0] == own else None
        found.append(((flat,) if flat else ("steps", *path), hint))
    return found


def _valid_steps(
    resolved: Mapping[str, Any], model: type[PipelineParams]
) -> tuple[Mapping[str, SparkStepSpec], Mapping[str, OtherSection]]:
    """Return the valid Spark steps and other steps of invalid parameters: no mistake hides another one.

    If other keys are not valid, the first pipeline's step is missing: it has these keys instead of a section.
    """
    sections: dict[str, SparkStepParams | OtherSection] = {}
    for name, section in step_sections(resolved).items():
        with suppress(ValidationError):
            sections |= _STEPS.validate_json(json.dumps({name: section}), strict=True)
    kept = {name: resolved["steps"][name] for name in sections}
    try:
        parameters = model.model_validate_json(json.dumps({**resolved, "steps": kept}))
    except ValidationError:
        spark = {name: each for name, each in sections.items() if isinstance(each, SparkStepParams)}
        others = {name: each for name, each in sections.items() if not isinstance(each, SparkStepParams)}
        return {name: spec_of(name, each) for name, each in spark.items()}, others
    return parameters.spark_steps, parameters.other_steps


def _found(
    error: ValidationError, values: dict[str, Any], model: type[PipelineParams]
) -> list[tuple[KeyPath, str]]:
    """Return the problems by path; tags are checked one by one with their own rules."""
    tags = values.get("tags")
    by_tag: dict[KeyPath, str] = {}
    if isinstance(tags, dict):
        for key, problem in tag_problems(tags):
            path: KeyPath = ("tags", key) if key else ("tags",)
            by_tag[path] = f"{by_tag[path]}; {problem}" if path in by_tag else problem
    others = [
        (_without_type(detail["loc"]), _hint(detail, model))
        for detail in error.errors()
        if not (by_tag and detail["loc"][0] == "tags")
    ]
    return [*others, *by_tag.items()]


def _hint(detail: ErrorDetails, model: type[PipelineParams]) -> str:
    if detail["type"] == "extra_forbidden":
        known = model.model_fields if len(detail["loc"]) == 1 else _fields(detail["loc"])
        close = difflib.get_close_matches(str(detail["loc"][-1]), list(known), 1)
        return f"there is no such key; {f'did you mean {close[0]}?' if close else 'remove it'}"
    if detail["type"] == "union_tag_invalid":
        return f"there is no such type of steps; write one of {', '.join(SECTIONS)}"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    if detail["type"] == "too_short" and detail["ctx"]["min_length"] == 1:
        return "it must have at least one entry"
    return _HINTS.get(detail["type"], detail["msg"][0].lower() + detail["msg"][1:])


def _fields(place: KeyPath) -> Mapping[str, Any]:
    """Return the keys of the section that contains an error."""
    section = SECTIONS.get(str(place[2]))
    return section.model_fields if section else {}


def _without_type(place: KeyPath) -> KeyPath:
    """Return a location without the section type that pydantic inserts after the step's name."""
    is_typed = place[:1] == ("steps",) and place[2:3] and place[2] in SECTIONS
    return (*place[:2], *place[3:]) if is_typed else place


def _lines(
    path: KeyPath,
    hint: str,
    raw: dict[str, Any],
    resolved: dict[str, Any],
    documents: Sequence[Document],
    model: type[PipelineParams],
) -> list[str]:
    """Return a problem as one line per file that must change."""
    key = ".".join(str(part) for part in path)
    unknown = path[0] not in model.model_fields
    files = (
        [document.name for document in documents if path[0] in document.values]
        if unknown
        else [origin(path, documents)]
    )
    return [f"{file}: {key}{_value(path, raw, resolved)}: {hint}" for file in files]


def _value(path: KeyPath, raw: dict[str, Any], resolved: dict[str, Any]) -> str:
    try:
        written, meant = lookup(raw, path), lookup(resolved, path)
    except KeyError:
        return ""
    shown = f" = {_json(written)}"
    return shown if written == meant or "${" in str(meant) else f"{shown} ({_json(meant)})"


def _json(value: Any, longest: int = 200) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= longest else f"{text[:longest]}…"
