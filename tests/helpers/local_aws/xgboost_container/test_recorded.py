"""The container returns the results of AWS's image: identical models, evaluations, failures, responses.

recorded/README.md describes how the results of the image were recorded.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.local_aws.xgboost_container.recorded.cases import INVOCATIONS, TRAININGS

RECORDED = json.loads((Path(__file__).parent / "recorded/results.json").read_text())
COMPARED = {
    # If the image fails with a KeyError, the message here names the key.
    "eval_metric without an objective": {"exit_code", "evaluation"},
    "without the channel train": {"exit_code", "evaluation"},
    # The message is from another version of numpy.
    "a header line": {"status", "content_type"},
    "rows of two lengths": {"status", "content_type"},
    # Flask's error page.
    "endpoint: application/jsonlines of squared error": {"status"},
    "endpoint: application/jsonlines of softprob": {"status"},
}
"""The compared members if not all are compared."""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="recorded on Linux: other C libraries round exponentials differently"
)


@pytest.fixture(scope="module")
def replayed() -> Any:
    """The results of the embedded AWS's container for the same cases."""
    python = Path(sys.prefix) / "xgboost/bin/python"
    module = "tests.helpers.local_aws.xgboost_container.recorded.replay"
    run = subprocess.run([python, "-m", module], stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)


def test_every_case_was_recorded() -> None:
    assert RECORDED["trainings"].keys() == TRAININGS.keys()
    assert RECORDED["invocations"].keys() == INVOCATIONS.keys()


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_ends_as_in_the_image(name: str, replayed: Any) -> None:
    assert compared(name, replayed["trainings"]) == compared(name, RECORDED["trainings"])


@pytest.mark.parametrize("name", INVOCATIONS)
def test_a_request_is_answered_as_by_the_image(name: str, replayed: Any) -> None:
    assert compared(name, replayed["invocations"]) == compared(name, RECORDED["invocations"])


def compared(name: str, results: dict[str, Any]) -> dict[str, Any]:
    return {part: value for part, value in results[name].items() if part in COMPARED.get(name, results[name])}
