"""Loading the parameters of an environment: read, merge, resolve, validate, and tell all problems at once."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from helpers.environments import file_of
from helpers.errors import UserError, one_per_line
from helpers.infra.tags.tags import tag_problems
from ml_pipeline.params.documents import Document, lookup, merge, origin, read_document
from ml_pipeline.params.model import PipelineParams
from ml_pipeline.params.placeholders import resolve

FOLDER = Path(__file__).parent
BASE = "pipeline_params.json"
KeyPath = tuple[str | int, ...]

_MENDS = {
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
    environment: str, outputs: Mapping[str, str], code_hash: str, folder: Path = FOLDER
) -> PipelineParams:
    """Return the parameters of an environment.

    Args:
        environment: its file is the overlay, and it is the value of `${Environment}`.
        outputs: the outputs of the environment's stack, each the value of a placeholder.
        code_hash: the value of `${CodeHash}`.
        folder: where the base and the overlays lie.

    Raises:
        UserError: a file cannot be read, or values are not valid; the message names every one.
    """
    base = read_document(folder / BASE)
    overlay = read_document(folder / file_of(environment))
    raw = merge(base.values, overlay.values)
    problems: dict[KeyPath, str] = {}
    names = {**outputs, "Environment": environment, "CodeHash": code_hash}
    resolved = resolve(raw, names, lambda path, mend: problems.update({path: mend}))
    parameters = None
    try:
        parameters = PipelineParams.model_validate_json(json.dumps(resolved))
    except ValidationError as error:
        for path, mend in _found(error, resolved):
            if not any(known[: len(path)] == path for known in problems):
                problems[path] = mend
    if problems or parameters is None:
        lines = [
            line
            for path, mend in sorted(problems.items(), key=str)
            for line in _lines(path, mend, raw, resolved, base, overlay)
        ]
        raise UserError(f"The parameters of {environment} are not valid:{one_per_line(lines)}")
    return parameters


def pipeline_name(environment: str, folder: Path = FOLDER) -> str:
    """Return the name of an environment's pipeline, which is known without any stack.

    Raises:
        UserError: a file cannot be read, or has no such name.
    """
    base, overlay = read_document(folder / BASE), read_document(folder / file_of(environment))
    problems: list[str] = []
    name = resolve(
        merge(base.values, overlay.values).get("pipeline_name", "${}"),
        {"Environment": environment},
        lambda _, mend: problems.append(mend),
    )
    if problems:
        raise UserError(f"{base.name}: pipeline_name: {problems[0]}")
    return str(name)


def _found(error: ValidationError, values: dict[str, Any]) -> list[tuple[KeyPath, str]]:
    """Return the problems by path; those of tags one by one, by the rules that tags have of their own."""
    tags = values.get("tags")
    by_tag: dict[KeyPath, str] = {}
    if isinstance(tags, dict):
        for key, problem in tag_problems(tags):
            path: KeyPath = ("tags", key) if key else ("tags",)
            by_tag[path] = f"{by_tag[path]}; {problem}" if path in by_tag else problem
    others = [
        (detail["loc"], _mend(detail))
        for detail in error.errors()
        if not (by_tag and detail["loc"][0] == "tags")
    ]
    return [*others, *by_tag.items()]


def _mend(detail: ErrorDetails) -> str:
    if detail["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(detail["loc"][-1]), list(PipelineParams.model_fields), 1)
        return f"there is no such key; {f'did you mean {close[0]}?' if close else 'remove it'}"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    return _MENDS.get(detail["type"], detail["msg"][0].lower() + detail["msg"][1:])


def _lines(
    path: KeyPath, mend: str, raw: dict[str, Any], resolved: dict[str, Any], base: Document, overlay: Document
) -> list[str]:
    """Return a problem as one line for each file that must change."""
    key = ".".join(str(part) for part in path)
    unknown = path[0] not in PipelineParams.model_fields
    files = (
        [document.name for document in (base, overlay) if path[0] in document.values]
        if unknown
        else [origin(path, base, overlay)]
    )
    return [f"{file}: {key}{_value(path, raw, resolved)}: {mend}" for file in files]


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
