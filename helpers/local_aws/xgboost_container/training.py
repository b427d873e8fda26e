"""The training program of the image: `python -m helpers.local_aws.xgboost_container.training`."""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from helpers.local_aws.xgboost_container.channels import data_format
from helpers.local_aws.xgboost_container.distributed import hosts_with_data, read_host, training_ring
from helpers.local_aws.xgboost_container.errors import UserError
from helpers.local_aws.xgboost_container.evaluation import custom_metric, is_custom
from helpers.local_aws.xgboost_container.library import xgboost
from helpers.local_aws.xgboost_container.matrices import read_matrix
from helpers.xgboost.hyperparameters import HyperparameterError, Values, validate
from helpers.xgboost.metric_names import MAXIMIZED

Matrix = tuple[xgboost.DMatrix, str]
"""The rows of a channel, and the channel's name."""
MODEL_NAME = "xgboost-model"
_NOT_EXECUTED = ("_kfold", "_num_cv_round")


def train(root: Path) -> None:
    """Train a model with the channels in a folder that represents /opt/ml.

    Raises:
        UserError: the hyperparameters, the channels or the data are not valid.
    """
    config = root / "input/config"
    try:
        values = validate(json.loads((config / "hyperparameters.json").read_text()))
    except HyperparameterError as error:
        raise UserError(str(error)) from error
    if given := [name for name in _NOT_EXECUTED if name in values]:
        raise UserError(f"The embedded AWS does not execute cross-validation: {', '.join(given)}")
    if values.pop("use_dask_gpu_training", "false") == "true":
        raise UserError("The embedded AWS has no GPU: use_dask_gpu_training")
    channels = json.loads((config / "inputdataconfig.json").read_text())
    content = data_format(channels)
    with_weights = values.pop("csv_weights", 0) == 1
    found = {
        name: read_matrix(root / "input/data" / name, content, with_weights=with_weights)
        for name in sorted(channels)  # train, validation
    }
    matrices = [(matrix, name) for name, matrix in found.items() if matrix is not None]
    host = read_host(config)
    if host.is_alone:
        for name in (name for name, matrix in found.items() if matrix is None):
            what = "training" if name == "train" else name
            raise UserError(f"No data in {what} channel path /opt/ml/input/data/{name}")
        _train(values, matrices, root / "model", is_master=True)
        return
    hosts = hosts_with_data(host, has_data=len(matrices) == len(found))
    if not hosts:
        raise UserError("No hosts received training data.")
    if host.name not in hosts:
        print(f"Host {host.name} not being used for distributed training.")
        return
    with training_ring(host, hosts):
        _train(values, matrices, root / "model", is_master=host.name == hosts[0])


def _train(values: Values, matrices: list[Matrix], model_folder: Path, *, is_master: bool) -> None:
    """Train, and save the model on the first of the training instances."""
    print(f"Train matrix has {matrices[0][0].num_row()} rows and {matrices[0][0].num_col()} columns")
    if len(matrices) > 1:
        print(f"Validation matrix has {matrices[1][0].num_row()} rows")
    model_folder.mkdir(exist_ok=True)
    booster = _boost(values, matrices, model_folder / MODEL_NAME, is_master=is_master)
    if is_master:
        _save(booster, model_folder / MODEL_NAME)


def _boost(values: Values, matrices: list[Matrix], model_file: Path, *, is_master: bool) -> xgboost.Booster:
    rounds, stopping = values.pop("num_round"), values.pop("early_stopping_rounds", None)
    saves = values.pop("save_model_on_termination", "false") == "true"
    objective_metric = values.pop("_tuning_objective_metric", "").rpartition(":")[2]
    metrics, given = values.pop("eval_metric", []), [objective_metric] if objective_metric else []
    every = sorted({*metrics, *given}) if metrics and given else metrics or given
    own = [name for name in every if not is_custom(name)]
    if "updater" in values:
        values["updater"] = ",".join(values["updater"])
    callbacks: list[xgboost.callback.TrainingCallback] = [xgboost.callback.EvaluationMonitor()]
    if saves and is_master:
        callbacks.append(_SaveEachRound(model_file))
    stops_by = (given or metrics)[-1:]
    if stopping and stops_by and len(matrices) > 1:
        callbacks.append(
            xgboost.callback.EarlyStopping(
                rounds=stopping,
                data_name="validation",
                metric_name=stops_by[0],
                maximize=stops_by[0] in MAXIMIZED,
                save_best=is_master,
            )
        )
    try:
        return xgboost.train(
            {**values, **({"eval_metric": own} if own else {})},
            matrices[0][0],
            num_boost_round=rounds,
            evals=matrices,
            custom_metric=custom_metric([name for name in every if is_custom(name)]),
            callbacks=callbacks,
            verbose_eval=False,
        )
    except (xgboost.core.XGBoostError, ValueError) as error:
        text = str(error).partition("\nStack trace:")[0]  # of the C++ code
        raise UserError(f"XGB train call failed with exception:\n {text}") from error


class _SaveEachRound(xgboost.callback.TrainingCallback):  # type: ignore[misc] # xgboost has no types here
    """Saves the model after each round, so that a stopped job has one."""

    def __init__(self, file: Path):
        super().__init__()
        self._file = file

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002 - XGBoost's
        _save(model, self._file)
        return False


def _save(model: Any, file: Path) -> None:
    partial = file.parents[1] / f"{file.name}.ubj"  # the suffix sets the format, which is the default one
    model.save_model(partial)
    partial.replace(file)


def main(root: Path) -> int:
    """Train, and return the exit code; a failure message is written to /opt/ml/output/failure."""
    try:
        train(root)
    except Exception as error:
        if not isinstance(error, UserError):
            traceback.print_exc()
        print(error)
        failure = root / "output/failure"
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(f"framework error: \n{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(os.environ["SAGEMAKER_BASE_DIR"])))
