"""The reference of parameters of pipelines, steps, environments and stacks."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from helpers.environments import KEYS, EnvironmentSettings
from ml_pipeline.params.condition_steps import ConditionStepParams, FailStepParams
from ml_pipeline.params.model import PipelineParams, ProcessingParams
from ml_pipeline.params.model_steps import ModelStepParams, RegisterModelStepParams, TransformStepParams
from ml_pipeline.params.spark_step import SparkStepParams
from ml_pipeline.params.step_values import StepInput
from ml_pipeline.params.training_step import TrainingStepParams
from tests.docs.reference.markdown import ROOT, code, docstrings, table

INTRODUCTION = """# Parameters

Generated from the code and the templates by `make reference`. See [pipelines.md](../pipelines.md) for
pipelines and steps, [gitops.md](../gitops.md#add-an-environment) for environments, and
[platform-engineer.md](../platform-engineer.md#the-stacks) for stacks.
"""
STACKS = (
    *("keys", "network", "storage", "identity", "operations"),
    "models",  # part: model life cycle
    "studio",  # part: Studio
    "github_oidc",
)
OTHER_STEPS = (
    TrainingStepParams,
    ModelStepParams,
    TransformStepParams,
    RegisterModelStepParams,
    ConditionStepParams,
    FailStepParams,
)
HEADER = ("key", "type", "default", "meaning")
FIRST_STEP = "pyspark_process_"


class _Loader(yaml.SafeLoader):
    """Reads templates; ignores the tags of CloudFormation's functions."""


_Loader.add_multi_constructor("!", lambda loader, tag, node: tag)


def parameters_page() -> str:
    shared = set(PipelineParams.model_fields)
    return "\n".join(
        [
            INTRODUCTION,
            "## Pipeline\n",
            "The keys of a parameter file in [ml_pipeline/params](../../ml_pipeline/params).\n",
            _table_of(PipelineParams),
            "\n## Spark step\n",
            "The keys of a section in `steps`.\n",
            _table_of(SparkStepParams),
            "\n## Input of a Spark step\n",
            _table_of(StepInput),
            *(
                part
                for model in OTHER_STEPS
                for part in (f"\n## {_step_type(model)} step\n", _table_of(model, skip={"type"}))
            ),
            "\n## First step of the pipeline `processing`\n",
            _table_of(ProcessingParams, skip=shared),
            "\n## Environment\n",
            "The keys of a file in [infra/parameters](../../infra/parameters).\n",
            table(("key", "default", "meaning"), _environment()),
            "\n## Stacks\n",
            "`Parameters` of an environment. One without default is required or an output of a stack.\n",
            table(("parameter", "stacks", "default", "meaning"), _template_parameters()),
            "",
        ]
    )


def _step_type(model: type[BaseModel]) -> str:
    return str(model.model_json_schema()["properties"]["type"]["const"])


def _table_of(model: type[BaseModel], skip: set[str] | None = None) -> str:
    """Return the table of a section, without keys of Spark and of all steps, which the guide describes."""
    file = f"{model.__module__.replace('.', '/')}.py"
    own = docstrings(file, model.__name__)
    texts = {**meanings(), **own} if model in OTHER_STEPS else {**own, **meanings()}
    return table(HEADER, _rows(model, texts, skip))


def meanings() -> Mapping[str, str]:
    """Return the descriptions of keys in the guide on pipelines, which are preferred over docstrings."""
    text = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` (?:\|.*)?\| ([^|]+) \|$", text, re.MULTILINE)
    return {key: re.sub(r"\]\(([\w-]+\.md)", r"](../\1", meaning) for key, meaning in rows}


def _rows(
    model: type[BaseModel], texts: Mapping[str, str], skip: set[str] | None = None
) -> Iterator[tuple[str, str, str, str]]:
    schema = model.model_json_schema()
    for key, field in schema["properties"].items():
        if key in (skip or ()):
            continue
        default = "required" if key in schema.get("required", ()) else _default(field.get("default"))
        text = texts.get(key) or texts.get(key.removeprefix(FIRST_STEP), "")
        yield code(key), _type(field), default, text


def _type(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(each) for each in field["anyOf"] if each.get("type") != "null")
    if "$ref" in field:
        return "object"
    kind = field.get("type", "object")
    if "maximum" in field:
        return f"{kind}, {field['minimum']:,} to {field['maximum']:,}"
    return kind


def _default(value: Any) -> str:
    return "none" if value in (None, "", [], {}) else code(json.dumps(value))


def _environment() -> Iterator[tuple[str, str, str]]:
    texts = docstrings("helpers/environments.py", "EnvironmentSettings")
    for key, field in KEYS.items():
        default = getattr(EnvironmentSettings, field, None)
        text = texts.get(field) or docstrings("helpers/environments.py").get("SampleData", "")
        yield code(key), _default(default), text


def _template_parameters() -> Iterator[tuple[str, str, str, str]]:
    found: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
    for stack in STACKS:
        template = yaml.load((ROOT / "infra" / f"{stack}.yaml").read_text(encoding="utf-8"), _Loader)
        for name, parameter in template.get("Parameters", {}).items():
            found.setdefault(name, (parameter, []))[1].append(stack)
    for name, (parameter, stacks) in sorted(found.items()):
        default = parameter.get("Default")
        text = str(parameter.get("Description", ""))
        if allowed := parameter.get("AllowedValues"):
            text += f" One of {', '.join(code(str(value)) for value in allowed)}."
        yield code(name), ", ".join(map(code, stacks)), code("" if default is None else str(default)), text
