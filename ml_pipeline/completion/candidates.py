"""Computes the completions of a `make` command line."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from helpers.environments import LOCAL, names
from ml_pipeline.executions.target import ALL
from ml_pipeline.params import DEFAULT_PIPELINE
from ml_pipeline.params.files import step_instances
from ml_pipeline.pipelines import pipeline_names

MAKEFILE = Path(__file__).parents[2] / "Makefile"
EVERYWHERE = ("ENV", "PIPELINE")
"""Variables that most targets accept. They are always offered."""

_TARGET = re.compile(r"^(?P<name>[a-z-]+):.*?## (?P<text>.*)", re.MULTILINE)
_VARIABLE = re.compile(r"\b(?P<name>[A-Z][A-Z_]+)\b(?:=(?P<values>[a-z]+(?:\|[a-z]+)+))?")
_QUOTED = re.compile(r"'[^']*'")
_USED = re.compile(r"\$\((?P<name>[A-Z][A-Z_]+)\)")


def candidates(words: Sequence[str], makefile: str | None = None) -> list[tuple[str, str]]:
    """Return the completions of the last word, with their descriptions.

    Args:
        words: the words after `make`, up to the cursor. The last one, which may be empty, is completed.
        makefile: the text of the Makefile; by default, that of this repository.
    """
    text = MAKEFILE.read_text(encoding="utf-8") if makefile is None else makefile
    *before, current = words or [""]
    targets = {match["name"]: match["text"].replace("$$", "$") for match in _TARGET.finditer(text)}
    given = dict(word.split("=", 1) for word in before if "=" in word)
    name, equals, _ = current.partition("=")
    found: Iterable[tuple[str, str]]
    if equals:
        found = ((f"{name}={value}", "") for value in _values(name, given, text))
    else:
        typed = [word for word in before if word in targets]
        variables = [*EVERYWHERE, *(each for target in typed for each in _variables(targets[target], text))]
        found = [
            *((target, explained) for target, explained in targets.items() if target not in typed),
            *((f"{each}=", "") for each in dict.fromkeys(variables) if each not in given),
        ]
    return [(each, description) for each, description in found if each.startswith(current)]


def _variables(explained: str, makefile: str) -> list[str]:
    """Return the variables in the description of a target, outside of quotes."""
    used = {match["name"] for match in _USED.finditer(makefile)}
    return [
        match["name"] for match in _VARIABLE.finditer(_QUOTED.sub("", explained)) if match["name"] in used
    ]


def _values(variable: str, given: Mapping[str, str], makefile: str) -> Sequence[str]:
    match variable:
        case "ENV":
            return names()
        case "PIPELINE":
            return (*pipeline_names(), ALL)
        case "STEP":
            pipeline = given.get("PIPELINE") or DEFAULT_PIPELINE
            pipelines = pipeline_names() if pipeline == ALL else (pipeline,)
            return [step for each in pipelines for step in step_instances(given.get("ENV") or LOCAL, each)]
    listed = (match["values"] for match in _VARIABLE.finditer(makefile) if match["name"] == variable)
    return next((values.split("|") for values in listed if values), [])
