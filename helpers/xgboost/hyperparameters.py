"""Validates hyperparameters by type, range and dependencies, as the image does.

The rules are those of `algorithm_mode/hyperparameter_validation.py` in
https://github.com/aws/sagemaker-xgboost-container.
"""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.xgboost.metric_names import NAMES

Values = dict[str, Any]
VERSION = "3.2-0"
"""The tag of the image that has these rules."""
INFINITE = float("inf")


class HyperparameterError(ValueError):
    """The image rejects the hyperparameters; the message is that of the image."""


@dataclass(frozen=True)
class Interval:
    """A range of numbers, which includes its bounds unless they are open."""

    low: float = 0
    high: float = INFINITE
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def __str__(self) -> str:
        start = f"{'(' if self.low_open else '['}{self.low}, "
        end = "+inf)" if self.high == INFINITE else f"{self.high}{')' if self.high_open else ']'}"
        return start + end


_ANY, _FROM_1, _FROM_2, _UNIT = Interval(), Interval(1), Interval(2), Interval(0, 1)
_SHARE = Interval(0, 1, low_open=True)
_INTEGERS: Mapping[str, Interval] = {
    "num_round": _FROM_1,
    "csv_weights": _UNIT,
    "early_stopping_rounds": _FROM_1,
    "verbosity": Interval(0, 3),
    "nthread": _FROM_1,
    "max_depth": _ANY,
    "refresh_leaf": _UNIT,
    "max_leaves": _ANY,
    "max_bin": _ANY,
    "one_drop": _UNIT,
    "num_class": _FROM_2,
    "_kfold": _FROM_2,
    "_num_cv_round": _FROM_1,
    "seed": Interval(-(2**31), 2**31 - 1, low_open=True, high_open=True),
    "num_parallel_tree": _FROM_1,
    "prob_buffer_row": Interval(1.0, low_open=True),
}
_FLOATS: Mapping[str, Interval] = {
    "eta": _UNIT,
    "gamma": _ANY,
    "min_child_weight": _ANY,
    "max_delta_step": _ANY,
    "subsample": _SHARE,
    "colsample_bytree": _SHARE,
    "colsample_bylevel": _SHARE,
    "colsample_bynode": _SHARE,
    "lambda": _ANY,
    "alpha": _ANY,
    "sketch_eps": Interval(0, 1, low_open=True, high_open=True),
    "scale_pos_weight": Interval(low_open=True),
    "rate_drop": _UNIT,
    "skip_drop": _UNIT,
    "lambda_bias": _UNIT,
    "tweedie_variance_power": Interval(1, 2, low_open=True, high_open=True),
    "base_score": _ANY,
    "aft_loss_distribution_scale": _ANY,
}
_BOOLEANS = ["true", "false"]
_CHOICES: Mapping[str, list[str]] = {
    "booster": ["gbtree", "gblinear", "dart"],
    "tree_method": ["auto", "exact", "approx", "hist", "gpu_hist"],
    "dsplit": ["row", "col"],
    "process_type": ["default", "update"],
    "grow_policy": ["depthwise", "lossguide"],
    "predictor": ["auto", "cpu_predictor", "gpu_predictor"],
    "sample_type": ["uniform", "weighted"],
    "normalize_type": ["tree", "forest"],
    "objective": [
        *("aft_loss_distribution", "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson"),
        *("multi:softmax", "multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear"),
        *("reg:squarederror", "reg:logistic", "reg:gamma", "reg:pseudohubererror", "reg:squaredlogerror"),
        *("reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox"),
    ],
    "save_model_on_termination": _BOOLEANS,
    "aft_loss_distribution": ["normal", "logistic", "extreme"],
    "deterministic_histogram": _BOOLEANS,
    "sampling_method": ["uniform", "gradient_based"],
    "use_dask_gpu_training": _BOOLEANS,
    "_tuning_objective_metric": [f"validation:{name}" for name in NAMES],
}
_UPDATERS = [
    *("grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "sync", "refresh", "prune"),
    *("shotgun", "coord_descent"),
]
_ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
_THRESHOLDS = ("error", "ndcg", "map")
"""The metrics that accept a threshold, such as `error@0.7`."""


def validate(given: Mapping[str, str]) -> Values:
    """Return the parsed values of hyperparameters, by name; an alias such as `learning_rate` becomes `eta`.

    Raises:
        HyperparameterError: the image rejects a hyperparameter, or `num_round` is missing.
    """
    texts = {_ALIASES.get(name, name): text for name, text in given.items()}
    if "num_round" not in texts:
        raise HyperparameterError("Missing required hyperparameter: num_round")
    values = {name: _parsed(name, text) for name, text in texts.items()}
    for name, value in values.items():
        _check_range(name, value)
    for check in _DEPENDENCIES:
        check(values)
    return values


def _parsed(name: str, text: str) -> Any:
    try:
        if name in _INTEGERS:
            return int(text)
        if name in _FLOATS:
            return float(text)
        if name in {"updater", "eval_metric"}:
            return text.split(",")
        if name in {"monotone_constraints", "interaction_constraints"}:
            return ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise HyperparameterError(
            f"Hyperparameter {name}: could not parse value (caused by {type(error).__name__})"
        ) from error
    if name in _CHOICES:
        return text
    raise HyperparameterError(f"Extraneous hyperparameter found: {name}")


def _check_range(name: str, value: Any) -> None:
    match name:
        case "updater":
            _check_items(name, value, value, _UPDATERS)
        case "eval_metric":
            for metric in value:
                _check_metric(value, metric)
        case "monotone_constraints":
            _check_items(name, value, value, [-1, 0, 1])
        case "interaction_constraints":
            _check_items(name, value, (element for group in value for element in group), _FROM_1)
        case _:
            allowed = _INTEGERS.get(name) or _FLOATS.get(name) or _CHOICES[name]
            if value not in allowed:
                raise HyperparameterError(f"Hyperparameter {name}: {value} is not in {allowed}")


def _check_items(name: str, value: object, items: Iterable[Any], allowed: Any) -> None:
    if any(item not in allowed for item in items):
        raise HyperparameterError(f"Hyperparameter {name}: value {value} not in range {allowed}")


def _check_metric(value: object, metric: str) -> None:
    name, _, threshold = (part.strip() for part in metric.partition("@"))
    if not threshold:
        if metric not in NAMES:
            raise HyperparameterError(f"Hyperparameter eval_metric: value {value} not in range {list(NAMES)}")
        return
    if name not in _THRESHOLDS:
        raise HyperparameterError(
            f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should "
            "be one of these options: 'error', 'ndcg', 'map'."
        )
    try:
        float(threshold)
    except ValueError:
        raise HyperparameterError(f"Threshold value 't' in '{name}@t' expects float input.") from None


def _check_updater(values: Values) -> None:
    chosen = values.get("updater")
    if chosen is None:
        return
    if values.get("booster") == "gblinear":
        if len(chosen) != 1 or chosen[0] not in {"shotgun", "coord_descent"}:
            raise HyperparameterError(
                "Linear updater should be one of these options: 'shotgun', 'coord_descent'."
            )
    elif values.get("process_type") == "update":
        if not {*chosen} <= {"refresh", "prune"}:
            raise HyperparameterError(
                "process_type 'update' can only be used with updater 'refresh' and 'prune'"
            )
    elif len({*chosen} & {"grow_colmaker", "distcol", "grow_histmaker"}) > 1:
        raise HyperparameterError("Only one tree grow plugin can be selected.")
    elif {*chosen} & {"shotgun", "coord_descent"}:
        raise HyperparameterError(
            "Tree updater should be selected from these options: " + ", ".join(_UPDATERS[:-2])
        )


def _check_objective(values: Values) -> None:
    objective = values.get("objective")
    if objective in {"multi:softmax", "multi:softprob"} and "num_class" not in values:
        raise HyperparameterError("Require input for parameter 'num_class' for multi-classification")


def _check_eval_metric(values: Values) -> None:
    metrics, objective = values.get("eval_metric") or [], values.get("objective") or ""
    if metrics and not objective:  # the image raises a KeyError with this name
        raise HyperparameterError(
            "'objective': a job with eval_metric must have the hyperparameter objective"
        )
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        raise HyperparameterError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise HyperparameterError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _check_constraints(values: Values) -> None:
    for name, methods in (
        ("monotone_constraints", ("exact", "hist")),
        ("interaction_constraints", ("exact", "hist", "approx")),
    ):
        if name in values and values.get("tree_method") not in methods:
            raise HyperparameterError(
                f"{name} can be used only when the tree_method parameter is set to {methods}."
            )


_DEPENDENCIES: tuple[Callable[[Values], None], ...] = (
    _check_updater,
    _check_objective,
    _check_eval_metric,
    _check_constraints,
)
