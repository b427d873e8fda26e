"""Loading the parameters of a pipeline: read, merge, resolve, validate, and report all problems at once."""

import difflib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from helpers.environments import file_of
from helpers.errors import UserError, one_per_line
from helpers.infra.tags.tags import tag_problems
from helpers.project_settings import project_settings
from ml_pipeline.params.documents import Document, lookup, merge, origin, read_document
from ml_pipeline.params.model import CODE_KEYS, PipelineParams, model_of
from ml_pipeline.params.placeholders import resolve
from ml_pipeline.params.spark_code import HASH_DIGITS, SparkCode
from ml_pipeline.params.spark_step import CODE_FOLDER, CONFIGURATION, SparkStepParams
from ml_pipeline.params.step_problems import section_problems, step_problems

FOLDER = Path(__file__).parent
BASE = "pipeline_params.json"
DEFAULT_PIPELINE = "processing"
"""The pipeline of pipeline_params.json; the file of any other is pipelines/<name>.json."""
SHARED_KEYS = PipelineParams.model_fields.keys() - {"pipeline_name", "trial", "steps"}
"""The keys that other pipelines inherit from pipeline_params.json and its overlays."""
OVERLAYS = "environments"
"""The section of a pipeline's own file that holds its overlays, by environment."""

KeyPath = tuple[str | int, ...]
Steps = Callable[[Mapping[str, Any]], Collection[str]]
"""Returns the names of the steps that a pipeline's module declares, from the parameters by key."""

_FLAT_KEYS = {
    ("inputs", "input_table"): "pyspark_process_data_input",
    ("outputs", "output_table"): "pyspark_process_data_output",
    ("arguments", "max_rejected_fraction"): "pyspark_process_max_rejected_fraction",
}
"""The keys of the first pipeline's step, by their place in a section."""

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


def parameter_file(pipeline: str, folder: Path = FOLDER) -> Path:
    """Return the path of a pipeline's parameter file."""
    return folder / BASE if pipeline == DEFAULT_PIPELINE else folder / "pipelines" / f"{pipeline}.json"


def load_parameters(
    environment: str,
    outputs: Mapping[str, str],
    pipeline: str = DEFAULT_PIPELINE,
    *,
    steps: Steps | None = None,
    code: SparkCode | None = None,
    folder: Path = FOLDER,
) -> PipelineParams:
    """Return the parameters of a pipeline in an environment.

    Args:
        environment: chooses the overlay, and is the value of `${Environment}`.
        outputs: the outputs of the environment's stacks, each the value of a placeholder.
        pipeline: the name of its module and of its parameter file.
        steps: what the module declares, to compare the sections with; by default they are not compared.
        code: the files that Spark runs, whose hash is the value of `${CodeHash}`; by default those of
            spark_jobs/.
        folder: where the parameter files lie.

    Raises:
        UserError: a file cannot be read, or values are not valid; the message names every problem.
    """
    code = code or SparkCode()
    documents = _documents(environment, pipeline, folder)
    raw = _merged(documents)
    model = model_of(raw) if pipeline == DEFAULT_PIPELINE else PipelineParams
    problems: dict[KeyPath, str] = {}
    resolved = _resolved(raw, {**_names(environment), **outputs}, code, problems)
    parameters = None
    try:
        parameters = model.model_validate_json(json.dumps(resolved))
    except ValidationError as error:
        for path, hint in _found(error, resolved, model):
            if not any(known[: len(path)] == path for known in problems):
                problems[path] = hint
    for path, hint in _step_problems(resolved, parameters, steps, pipeline, code):
        problems.setdefault(path, hint)
    if parameters and not parameters.pipeline_name.endswith(f"-{environment}"):
        problems[("pipeline_name",)] = "end it with -${Environment}: the roles may create no other pipeline"
    if problems or parameters is None:
        lines = [
            line
            for path, hint in sorted(problems.items(), key=str)
            for line in _lines(path, hint, raw, resolved, documents, model)
        ]
        raise UserError(
            f"The parameters of pipeline {pipeline} in {environment} are not valid:{one_per_line(lines)}"
        )
    return parameters


def pipeline_name(environment: str, pipeline: str = DEFAULT_PIPELINE, folder: Path = FOLDER) -> str:
    """Return the name of a pipeline in SageMaker, which is known without any stack.

    Raises:
        UserError: a file cannot be read, or has no such name.
    """
    documents = _documents(environment, pipeline, folder)
    written = "${}"
    for document in documents:
        written = document.values.get("pipeline_name", written)
    problems: list[str] = []
    name = resolve(written, _names(environment), lambda _, hint: problems.append(hint))
    if problems:
        raise UserError(f"{documents[-1].name}: pipeline_name: {problems[0]}")
    return str(name)


def step_instances(
    environment: str, pipeline: str = DEFAULT_PIPELINE, folder: Path = FOLDER
) -> dict[str, tuple[str, int]]:
    """Return instance type and count of each step, which are known without any stack.

    Raises:
        UserError: a parameter file cannot be read.
    """
    raw = _merged(_documents(environment, pipeline, folder))
    found: dict[str, tuple[str, int]] = {}
    if name := raw.get("pyspark_process_name"):
        kind, count = (raw.get(f"pyspark_process_instance_{key}") for key in ("type", "count"))
        found[str(name)] = (str(kind), int(count or 0))
    for name, section in _sections(raw).items():
        found[name] = (str(section.get("instance_type")), int(section.get("instance_count", 0)))
    return found


def _merged(documents: Sequence[Document]) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    for document in documents:
        raw = merge(raw, document.values)
    return raw


def _documents(environment: str, pipeline: str, folder: Path) -> list[Document]:
    """Return the documents of a pipeline's parameters, each over those before it."""
    base, overlay = read_document(folder / BASE), read_document(folder / file_of(environment))
    if pipeline == DEFAULT_PIPELINE:
        return [base, overlay]
    own = read_document(parameter_file(pipeline, folder))
    values = dict(own.values)
    overlays = values.pop(OVERLAYS, {})
    if not isinstance(overlays, dict) or not all(isinstance(each, dict) for each in overlays.values()):
        raise UserError(f"{own.name}: {OVERLAYS} must be an object of objects, by environment")
    name = PurePosixPath(file_of(environment)).stem
    return [
        *(
            Document(each.name, {k: v for k, v in each.values.items() if k in SHARED_KEYS})
            for each in (base, overlay)
        ),
        Document(own.name, values),
        Document(f"{own.name}, {OVERLAYS}.{name}", overlays.get(name, {})),
    ]


def _names(environment: str) -> dict[str, str]:
    project = project_settings()
    return {"Environment": environment, "ProjectName": project.project_name, "Owner": project.owner}


def code_hashes(
    environment: str,
    pipeline: str = DEFAULT_PIPELINE,
    code: SparkCode | None = None,
    folder: Path = FOLDER,
) -> dict[str, str]:
    """Return the content hash of each step's files, which is known without any stack.

    Raises:
        UserError: a parameter file or a file of a step cannot be read.
    """
    code, raw = code or SparkCode(), _merged(_documents(environment, pipeline, folder))
    named = {str(raw.get("pyspark_process_name", "")): _flat_files(raw)} if _flat_files(raw) else {}
    named |= {name: _files(name, section) for name, section in _sections(raw).items()}
    return {name: code.hash(files.values()) for name, files in named.items()}


def _resolved(
    raw: Mapping[str, Any], names: Mapping[str, str], code: SparkCode, problems: dict[KeyPath, str]
) -> dict[str, Any]:
    """Return the values with placeholders replaced; `${CodeHash}` is another one for each step."""

    def resolved(value: Any, path: KeyPath, files: Mapping[KeyPath, str]) -> Any:
        missing = _missing_files(files, code)
        problems.update(missing)
        code_hash = "0" * HASH_DIGITS if missing else code.hash(files.values())
        known = {**names, "CodeHash": code_hash}
        return resolve(value, known, lambda place, hint: problems.update({place: hint}), path)

    flat = {key: value for key, value in raw.items() if key != "steps"}
    values: dict[str, Any] = resolved(flat, (), _flat_files(raw))
    if not isinstance(raw.get("steps", {}), dict):
        return {**values, "steps": raw["steps"]}
    steps = {
        name: resolved({"code_folder": CODE_FOLDER, **section}, ("steps", name), _files(name, section))
        for name, section in _sections(raw).items()
    }
    return {**values, "steps": {**raw.get("steps", {}), **steps}}


def _sections(raw: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the sections of steps, as far as they are objects."""
    steps = raw.get("steps", {})
    found = steps.items() if isinstance(steps, dict) else ()
    return {name: section for name, section in found if isinstance(section, dict)}


def _flat_files(raw: Mapping[str, Any]) -> dict[KeyPath, str]:
    """Return the files of the first pipeline's step by the keys that name them."""
    return {(key,): PurePosixPath(raw[key]).name for key in CODE_KEYS if isinstance(raw.get(key), str)}


def _files(name: str, section: Mapping[str, Any]) -> dict[KeyPath, str]:
    """Return the files of a step with a section by the keys that name them."""
    helpers = section.get("helper_files", SparkStepParams.model_fields["helper_files"].default)
    files: dict[KeyPath, Any] = {
        ("steps", name, "code"): section.get("code"),
        ("steps", name, "configuration"): section.get("configuration", CONFIGURATION),
        **{
            ("steps", name, "helper_files", index): file
            for index, file in enumerate(helpers if isinstance(helpers, list | tuple) else [])
        },
    }
    return {path: file for path, file in files.items() if isinstance(file, str)}


def _missing_files(files: Mapping[KeyPath, str], code: SparkCode) -> dict[KeyPath, str]:
    missing = {}
    for path, name in files.items():
        try:
            code.read(name)
        except UserError as error:
            missing[path] = str(error)
    return missing


def _step_problems(
    resolved: Mapping[str, Any],
    parameters: PipelineParams | None,
    steps: Steps | None,
    pipeline: str,
    code: SparkCode,
) -> list[tuple[KeyPath, str]]:
    found: list[tuple[KeyPath, str]] = []
    sections = resolved.get("steps", {})
    own = resolved.get("pyspark_process_name")
    if steps is not None and isinstance(sections, dict):
        module = f"ml_pipeline/pipelines/{pipeline}.py"
        names = [*([own] if own else []), *sections]
        found += [(("steps", *path), hint) for path, hint in section_problems(names, steps(resolved), module)]
    if parameters is not None:
        for path, hint in step_problems(parameters.spark_steps, code):
            flat = _FLAT_KEYS.get((str(path[1]), str(path[2]))) if path[0] == own else None
            found.append(((flat,) if flat else ("steps", *path), hint))
    return found


def _found(
    error: ValidationError, values: dict[str, Any], model: type[PipelineParams]
) -> list[tuple[KeyPath, str]]:
    """Return the problems by path; those of tags one by one, by the rules that tags have of their own."""
    tags = values.get("tags")
    by_tag: dict[KeyPath, str] = {}
    if isinstance(tags, dict):
        for key, problem in tag_problems(tags):
            path: KeyPath = ("tags", key) if key else ("tags",)
            by_tag[path] = f"{by_tag[path]}; {problem}" if path in by_tag else problem
    others = [
        (detail["loc"], _hint(detail, model))
        for detail in error.errors()
        if not (by_tag and detail["loc"][0] == "tags")
    ]
    return [*others, *by_tag.items()]


def _hint(detail: ErrorDetails, model: type[PipelineParams]) -> str:
    if detail["type"] == "extra_forbidden":
        known = model.model_fields if len(detail["loc"]) == 1 else SparkStepParams.model_fields
        close = difflib.get_close_matches(str(detail["loc"][-1]), list(known), 1)
        return f"there is no such key; {f'did you mean {close[0]}?' if close else 'remove it'}"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    return _HINTS.get(detail["type"], detail["msg"][0].lower() + detail["msg"][1:])


def _lines(
    path: KeyPath,
    hint: str,
    raw: dict[str, Any],
    resolved: dict[str, Any],
    documents: Sequence[Document],
    model: type[PipelineParams],
) -> list[str]:
    """Return a problem as one line for each file that must change."""
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
    said = f" = {_json(written)}"
    return said if written == meant or "${" in str(meant) else f"{said} ({_json(meant)})"


def _json(value: Any, longest: int = 200) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= longest else f"{text[:longest]}…"
