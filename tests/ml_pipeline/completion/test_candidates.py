"""The completions of a `make` command line."""

import re

import pytest

from ml_pipeline.completion.candidates import MAKEFILE, candidates
from ml_pipeline.params import DEFAULT_PIPELINE
from tests.ml_pipeline.small_project import STEP

TEXT = """
##@ Run
run: $(VENV)/run  ## Deploy and execute; CACHE=on|off ARGS='--output FILE'
\t$(CACHE) $(ARGS)
logs:  ## Print the logs of a STEP of AWS
\t$(STEP) $(FILE)
hidden:
"""


def names(*words: str) -> list[str]:
    return [name for name, _ in candidates(words, TEXT)]


def test_targets_come_with_what_they_do() -> None:
    assert candidates(["r"], TEXT) == [("run", "Deploy and execute; CACHE=on|off ARGS='--output FILE'")]
    assert names("") == ["run", "logs", "ENV=", "PIPELINE="]
    assert names() == names("")


def test_a_target_brings_the_variables_that_its_help_names() -> None:
    assert names("run", "") == ["logs", "ENV=", "PIPELINE=", "CACHE=", "ARGS="]
    assert names("logs", "S") == ["STEP="]
    assert names("logs", "ENV=local", "E") == []


@pytest.mark.usefixtures("small_project")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ENV="], ["ENV=local", "ENV=trial", "ENV=live"]),
        (["logs", "ENV=t"], ["ENV=trial"]),
        (["logs", "PIPELINE="], [f"PIPELINE={DEFAULT_PIPELINE}", "PIPELINE=all"]),
        (["logs", "STEP="], [f"STEP={STEP}"]),
        (["logs", "PIPELINE=all", "ENV=trial", "STEP="], [f"STEP={STEP}"]),
        (["run", "CACHE=o"], ["CACHE=on", "CACHE=off"]),
        (["run", "ARGS="], []),
    ],
)
def test_values_are_those_of_the_project(words: list[str], expected: list[str]) -> None:
    assert names(*words) == expected


def test_every_target_that_help_explains_is_a_candidate() -> None:
    explained = re.findall(r"^([a-z-]+):.*##", MAKEFILE.read_text(), re.MULTILINE)

    assert [name for name, _ in candidates([""]) if not name.endswith("=")] == explained
    assert [
        name for name, _ in candidates(["size", ""]) if name in {"INSTANCE=", "COUNT=", "DATA_GB=", "SHAPE="}
    ] == ["INSTANCE=", "COUNT=", "DATA_GB=", "SHAPE="]
