"""The completion scripts in the shells of this machine: bash always, zsh and fish if installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.environments import names
from ml_pipeline.params import DEFAULT_PIPELINE
from ml_pipeline.params.files import step_instances

SCRIPTS = Path("ml_pipeline/completion").resolve()
CONVERSATION = {
    "bash": """
        theirs() {{ COMPREPLY=(theirs); }}
        complete -F theirs make
        . {script}
        . {script}
        complete -p make > /dev/null
        COMP_LINE='make {words}' COMP_POINT={point}
        _ml_pipeline_make make
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """,
    "zsh": """
        _make() {{ print theirs; }}
        compdef() {{ registered=$2; }}
        compadd() {{ while [[ $1 != -a ]]; do shift; done; print -l -- "${{(@P)2}}"; }}
        . {script}
        [[ $registered = make ]] || exit 1
        words=(make {words}) CURRENT=$#words
        _ml_pipeline_make
    """,
    "fish": """
        complete --command make --condition 'not test -e ml_pipeline' --no-files --arguments theirs
        source {script}
        complete --do-complete 'make {words}'
    """,
}
"""Commands with which each shell prints its completions, after another completion was defined. zsh's
`compadd` works only within its line editor."""


def shells() -> list[object]:
    found = [pytest.param("bash")]
    for name in ("zsh", "fish"):
        missing = pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not on this machine")
        found.append(pytest.param(name, marks=missing))
    return found


def completed(shell: str, words: str, folder: Path) -> list[str]:
    script = CONVERSATION[shell].format(
        script=SCRIPTS / f"completion.{shell}", words=words, point=len(f"make {words}")
    )
    plain = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [shell, *plain, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split("\t")[0] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize("shell", shells())
def test_a_shell_completes_targets_and_values(shell: str, repository: Path) -> None:
    # bash replaces the part after the `=`, the others the whole word.
    shown = "" if shell == "bash" else "ENV="

    assert completed(shell, "spar", repository) == ["spark-ui"]
    assert completed(shell, "logs ENV=", repository) == [f"{shown}{name}" for name in names()]


@pytest.mark.parametrize("shell", shells())
def test_elsewhere_a_shell_completes_as_before(shell: str, tmp_path: Path) -> None:
    assert completed(shell, "thei", tmp_path) == ["theirs"]


def test_bash_completes_pipelines_and_steps(repository: Path) -> None:
    assert completed("bash", "logs PIPELINE=", repository)[0] == DEFAULT_PIPELINE
    assert completed("bash", "logs STEP=", repository) == list(step_instances("local"))
    assert completed("bash", "logs ST", repository) == ["STEP="]


def test_bash_evaluates_the_script_under_strict_options() -> None:
    script = f"set -eu -o pipefail; . {SCRIPTS}/completion.bash; complete -p make"

    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("-F _ml_pipeline_make make\n")


def test_make_prints_the_script_of_a_shell(repository: Path) -> None:
    def printed(*words: str, **variables: str) -> tuple[int, str, str]:
        done = subprocess.run(
            ["make", "-s", "completion", *words],
            cwd=repository,
            env={**os.environ, "MAKEFLAGS": "", **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    scripts = {path.suffix[1:]: path.read_text() for path in SCRIPTS.glob("completion.*")}
    assert scripts.keys() == {"bash", "zsh", "fish"}
    assert printed(SHELL="/usr/bin/fish") == (0, scripts["fish"], "")
    assert printed("SHELL_NAME=zsh", SHELL="/bin/bash") == (0, scripts["zsh"], "")
    code, _, error = printed("SHELL_NAME=ksh")
    assert code != 0
    assert "Error: there is no completion for ksh\nHint: Name a shell: " in error
