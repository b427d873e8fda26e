"""Runs the recorded cases in the embedded AWS's container, in its Python, and prints the results."""

import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from helpers.local_aws.xgboost_container import serving, training
from tests.helpers.local_aws.xgboost_container.recorded.cases import (
    INVOCATIONS,
    TRAININGS,
    Training,
    invoke,
    outcome,
    write_training,
)


def main() -> None:
    """Train in one folder per training job, and send the requests to each model, all in this process."""
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(io.StringIO()):
        roots = {case: Path(name) / str(number) for number, case in enumerate(TRAININGS)}
        results = {
            "trainings": {case: _train(TRAININGS[case], root) for case, root in roots.items()},
            "invocations": {case: _answer(case, roots) for case in INVOCATIONS},
        }
    json.dump(results, sys.stdout)


def _train(case: Training, root: Path) -> dict[str, Any]:
    write_training(case, root)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = training.main(root)
    return outcome(code, output.getvalue(), root)


def _answer(name: str, roots: dict[str, Path]) -> dict[str, Any]:
    case = INVOCATIONS[name]
    variables = {**case.environment, "SAGEMAKER_BASE_DIR": str(roots[case.model])}
    if case.batch:
        variables["SAGEMAKER_BATCH"] = "true"
    os.environ.update(variables)
    try:
        return invoke(serving.application, case)
    finally:
        for variable in variables:
            del os.environ[variable]


if __name__ == "__main__":
    main()
