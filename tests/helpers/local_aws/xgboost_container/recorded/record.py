"""Records the responses of the code in the built-in XGBoost image; README.md describes how to run it."""

import contextlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.helpers.local_aws.xgboost_container.recorded.cases import (
    INVOCATIONS,
    TRAININGS,
    Invocation,
    invoke,
    outcome,
    write_training,
)

RESULTS = Path(__file__).with_name("results.json")
_TRAIN = "from sagemaker_containers._trainer import train; train()"


def main() -> None:
    """Train in one folder per training job, and send the requests to the server of each model."""
    results: dict[str, Any] = {"trainings": {}, "invocations": {}}
    with tempfile.TemporaryDirectory() as name:
        for training_name, training in TRAININGS.items():
            root = Path(name) / training_name.replace(" ", "-")
            write_training(training, root)
            run = subprocess.run(
                [sys.executable, "-c", _TRAIN],
                env=_variables(root),
                stdout=subprocess.PIPE,
                text=True,
                check=False,
            )
            results["trainings"][training_name] = outcome(run.returncode, run.stdout, root)
        for invocation_name, invocation in INVOCATIONS.items():
            root = Path(name) / invocation.model.replace(" ", "-")
            results["invocations"][invocation_name] = _answer_in_process(invocation_name, invocation, root)
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def _answer_in_process(name: str, invocation: Invocation, root: Path) -> Any:
    """Send a request in a separate process, because the image reads its variables when it is imported."""
    variables = {**_variables(root), **invocation.environment}
    if invocation.batch:
        variables["SAGEMAKER_BATCH"] = "true"
    command = [sys.executable, "-m", __spec__.name, name]
    return json.loads(subprocess.run(command, env=variables, stdout=subprocess.PIPE, check=True).stdout)


def _answer(name: str) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        application = importlib.import_module("sagemaker_xgboost_container.serving").main
        answer = invoke(application, INVOCATIONS[name])
    print(json.dumps(answer))


def _variables(root: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path.cwd()),
        "SAGEMAKER_BASE_DIR": str(root),
        "SAGEMAKER_TRAINING_MODULE": "sagemaker_xgboost_container.training:main",
        "SM_INPUT_TRAINING_CONFIG_FILE": str(root / "input/config/hyperparameters.json"),
        "SM_INPUT_DATA_CONFIG_FILE": str(root / "input/config/inputdataconfig.json"),
        "SM_CHECKPOINT_CONFIG_FILE": str(root / "input/config/checkpointconfig.json"),
        "SM_MODEL_DIR": str(root / "model"),
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }


if __name__ == "__main__":
    _answer(sys.argv[1]) if len(sys.argv) > 1 else main()
