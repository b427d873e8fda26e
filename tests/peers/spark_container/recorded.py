"""The image's results for some jobs, stored so that each test run compares with them."""

import json
from collections.abc import Mapping
from pathlib import Path

from helpers.files import write_atomically
from tests.peers.spark_container.embedded import Outcome

RESULTS = Path(__file__).parents[2] / "helpers/local_aws/spark_container/smspark_results.json"
RECORDED = (
    "mode by default: 2 × ml.m5.xlarge of 4 vCPU",
    "mode 2: 5 × ml.r5.4xlarge of 16 vCPU",
    "mode 3 and a wrong document",
    "spark-defaults: separators",
    "spark-defaults: a backslash at the end",
    "core-site: entities",
    "spark-env: quotes",
    "valid: two entries of a classification",
    "wrong: an env without exports",
    "wrong: a nested unknown classification",
    "options in another order",
    "an unknown option",
    "a missing file and a wrong document",
    "event logs and a document",
)
"""The names of these jobs."""


def record(commit: str, outcomes: Mapping[str, Outcome]) -> None:
    """Write the image's results for the recorded jobs."""
    document = {
        "source": f"smspark of aws/sagemaker-spark-container at {commit}, "
        "run by python -m tests.peers.spark_container CHECKOUT --record",
        "outcomes": {name: outcomes[name] for name in RECORDED},
    }
    write_atomically(RESULTS, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def recorded() -> Mapping[str, Outcome]:
    """Return the recorded results by job name."""
    return dict(json.loads(RESULTS.read_text(encoding="utf-8"))["outcomes"])
