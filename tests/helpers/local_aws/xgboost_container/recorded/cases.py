"""The training jobs and requests for both the image of the built-in XGBoost and the embedded AWS.

This module runs in any Python, so that both environments can import it.
"""

import io
import json
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CSV, LIBSVM = "text/csv", "text/libsvm"
_FEATURES = 6
_MISSING = 0.15
_CLASS = re.compile(r"^\w+Error: ")
_TIME = re.compile(r"\[\d\d:\d\d:\d\d\]")


@dataclass(frozen=True)
class Training:
    """A training job: its hyperparameters, and its channels with content type and text."""

    hyperparameters: Mapping[str, str]
    channels: Mapping[str, tuple[str | None, str]]


@dataclass(frozen=True)
class Invocation:
    """A request to the server of a trained model."""

    model: str
    body: str
    content_type: str | None = CSV
    accept: str | None = None
    batch: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)


def _rows(count: int, seed: int) -> list[list[float | None]]:
    """Rows with a label from 0 to 3 and features, some of which are missing."""
    numbers = random.Random(seed)
    rows = []
    for _ in range(count):
        values = [round(numbers.gauss(0, 2), 4) for _ in range(_FEATURES)]
        label = min(3.0, abs(round(values[0] + values[1] * values[2] / 3 + numbers.random())))
        rows.append([label, *(None if numbers.random() < _MISSING else value for value in values)])
    return rows


def _csv(rows: Iterable[Sequence[float | None]]) -> str:
    return "".join(",".join("" if value is None else f"{value}" for value in row) + "\n" for row in rows)


def _libsvm(rows: Iterable[Sequence[float | None]], first: int = 0) -> str:
    lines = []
    for label, *values in rows:
        present = [f"{number}:{value}" for number, value in enumerate(values, first) if value is not None]
        lines.append(" ".join([f"{label}", *present]))
    return "\n".join(lines) + "\n"


def _binary(rows: Iterable[Sequence[float | None]]) -> list[list[float | None]]:
    return [[float((label or 0) > 1), *values] for label, *values in rows]


def _weighted(rows: Iterable[Sequence[float | None]]) -> list[list[float | None]]:
    return [[label, 1 + number % 3, *values] for number, (label, *values) in enumerate(rows)]


_TRAIN, _VALIDATION, _SCORE = _rows(240, 1), _rows(80, 2), _rows(40, 3)
_UNLABELED = [row[1:] for row in _SCORE]
_FULL = [[1.0 if value is None else value for value in row] for row in _UNLABELED]
_CSV_CHANNELS = {"train": (CSV, _csv(_TRAIN)), "validation": (CSV, _csv(_VALIDATION))}
_BINARY_CHANNELS = {
    "train": (CSV, _csv(_binary(_TRAIN))),
    "validation": (CSV, _csv(_binary(_VALIDATION))),
}
_LIBSVM_CHANNELS = {"train": (LIBSVM, _libsvm(_TRAIN)), "validation": (LIBSVM, _libsvm(_VALIDATION))}


def _training(channels: Mapping[str, tuple[str | None, str]], **hyperparameters: object) -> Training:
    # One thread: sums of several can differ between machines.
    given = {"nthread": 1, "num_round": 8, **hyperparameters}
    return Training({name.rstrip("_"): str(value) for name, value in given.items()}, channels)


TRAININGS: Mapping[str, Training] = {
    "squared error": _training(_CSV_CHANNELS, objective="reg:squarederror", max_depth=4, eta=0.3),
    "logistic": _training(
        _BINARY_CHANNELS, objective="binary:logistic", eval_metric="auc,error@0.4,logloss", subsample=0.8
    ),
    "softprob": _training(_LIBSVM_CHANNELS, objective="multi:softprob", num_class=4, tree_method="hist"),
    "softmax": _training(_LIBSVM_CHANNELS, objective="multi:softmax", num_class=4, max_depth=3),
    "tweedie": _training(_CSV_CHANNELS, objective="reg:tweedie", tweedie_variance_power=1.4),
    "linear": _training(_CSV_CHANNELS, booster="gblinear", updater="coord_descent", alpha=0.1),
    "dart": _training(_CSV_CHANNELS, booster="dart", rate_drop=0.3, one_drop=1, seed=7),
    "exact": _training(_CSV_CHANNELS, tree_method="exact", colsample_bytree=0.7, min_child_weight=3),
    "weights": _training({"train": (CSV, _csv(_weighted(_TRAIN)))}, csv_weights=1, objective="count:poisson"),
    "aliases": _training(_CSV_CHANNELS, learning_rate=0.1, reg_lambda=2, min_split_loss=0.2, reg_alpha=0.1),
    "own metrics": _training(
        _BINARY_CHANNELS, objective="binary:logistic", _tuning_objective_metric="validation:f1"
    ),
    "own metrics of values": _training(_CSV_CHANNELS, objective="reg:squarederror", eval_metric="r2,mse"),
    "eval_metric without an objective": _training(_CSV_CHANNELS, eval_metric="rmse"),
    "early stopping": _training(
        _CSV_CHANNELS,
        objective="reg:squarederror",
        num_round=60,
        early_stopping_rounds=2,
        eval_metric="rmse,mae",
        eta=0.9,
    ),
    "early stopping without a metric": _training(_CSV_CHANNELS, num_round=12, early_stopping_rounds=1),
    "header": _training({"train": (CSV, "label,a,b,c,d,e,f\n" + _csv(_TRAIN))}),
    "CSV without a content type": _training({"train": (None, _csv(_TRAIN))}),
    "unknown hyperparameter": _training(_CSV_CHANNELS, foo=1),
    "unknown channel": _training({**_CSV_CHANNELS, "test": (CSV, _csv(_TRAIN))}),
    "eta out of its range": _training(_CSV_CHANNELS, eta=2),
    "without num_round": Training({"eta": "0.1"}, _CSV_CHANNELS),
    "without the channel train": _training({"validation": (CSV, _csv(_VALIDATION))}),
    "empty channel": _training({"train": (CSV, "")}),
    "old name of an objective": _training(_CSV_CHANNELS, objective="reg:linear"),
}
"""The training jobs by name."""

_CSV_ROWS, _FULL_ROWS = _csv(_UNLABELED), _csv(_FULL)
_FEW, _MANY = _csv(row[:4] for row in _FULL), _csv([*row, 1.0] for row in _FULL)

INVOCATIONS: Mapping[str, Invocation] = {
    **{
        name: Invocation(name, _CSV_ROWS)
        for name in ("squared error", "logistic", "softprob", "softmax", "tweedie", "linear", "dart")
    },
    **{
        name: Invocation(name, _CSV_ROWS)
        for name in ("exact", "weights", "aliases", "early stopping", "header")
    },
    "LIBSVM": Invocation("softprob", _libsvm(_SCORE), LIBSVM),
    "LIBSVM from 1": Invocation("softmax", _libsvm(_SCORE, first=1), LIBSVM),
    "no content type": Invocation("softmax", _libsvm(_SCORE), None),
    "nothing missing": Invocation("squared error", _FULL_ROWS),
    "one row": Invocation("squared error", _FULL_ROWS.splitlines()[0]),
    "a parameter": Invocation("squared error", _FULL_ROWS, "text/csv; charset=utf-8"),
    "label size": Invocation("squared error", _FULL_ROWS, "text/csv; label_size=2"),
    "empty": Invocation("squared error", ""),
    "a header line": Invocation("squared error", "a,b,c,d,e,f\n" + _FULL_ROWS),
    "a column too many": Invocation("squared error", _MANY),
    "too few columns": Invocation("squared error", _FEW),
    "rows of two lengths": Invocation("squared error", "1,2,3,4,5,6\n1,2,3\n"),
    "JSON": Invocation("squared error", "[1,2,3,4,5,6]", "application/json"),
    "Parquet": Invocation("squared error", "PAR1", "application/x-parquet"),
    "unknown type to accept": Invocation("squared error", _FULL_ROWS, accept="text/html"),
    "any type to accept": Invocation("squared error", _FULL_ROWS, accept="*/*"),
    "JSON lines accepted": Invocation("squared error", _FULL_ROWS, accept="application/jsonlines"),
    "JSON accepted": Invocation("squared error", _FULL_ROWS, accept="application/json"),
    "empty program": Invocation("squared error", _FULL_ROWS, environment={"SAGEMAKER_PROGRAM": ""}),
    **{
        f"endpoint: {name}": Invocation(name, _CSV_ROWS, batch=False)
        for name in ("squared error", "logistic", "softprob", "softmax")
    },
    **{
        f"endpoint: {accept} of {name}": Invocation(name, _CSV_ROWS, accept=accept, batch=False)
        for accept in ("application/json", "application/jsonlines", "text/html")
        for name in ("squared error", "softprob")
    },
    "endpoint: one row": Invocation("logistic", _FULL_ROWS.splitlines()[0], batch=False),
    "endpoint: empty": Invocation("logistic", "", batch=False),
}
"""The requests by name."""


def write_training(training: Training, root: Path) -> None:
    """Write the configuration and the channels of a training job below `root`, which represents /opt/ml."""
    config = root / "input/config"
    config.mkdir(parents=True)
    (root / "output").mkdir()  # the image writes failure messages here
    channels = {}
    for name, (content_type, text) in training.channels.items():
        channels[name] = {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            **({"ContentType": content_type} if content_type else {}),
        }
        folder = root / "input/data" / name
        folder.mkdir(parents=True)
        (folder / "part").write_text(text)
    resources = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "lo"}
    (config / "hyperparameters.json").write_text(json.dumps(dict(training.hyperparameters)))
    (config / "inputdataconfig.json").write_text(json.dumps(channels))
    (config / "resourceconfig.json").write_text(json.dumps(resources))


def outcome(code: int, output: str, root: Path) -> dict[str, Any]:
    """Return the compared results of a training job: exit code, evaluations, and failure message."""
    failure = root / "output/failure"
    lines = failure.read_text().strip().splitlines() if failure.exists() else []
    message = _CLASS.sub("", lines[-1]).replace(str(root), "/opt/ml") if lines else None
    return {
        "exit_code": code,
        "evaluation": [line for line in output.splitlines() if line.startswith("[") and "\t" in line],
        "failure": message,
    }


def invoke(application: Callable[..., Iterable[bytes]], invocation: Invocation) -> dict[str, Any]:
    """Return status, content type and body of a WSGI application's response."""
    body = invocation.body.encode()
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/invocations",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "CONTENT_LENGTH": str(len(body)),
    }
    if invocation.content_type:
        environ["CONTENT_TYPE"] = invocation.content_type
    if invocation.accept:
        environ["HTTP_ACCEPT"] = invocation.accept
    answer: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        answer.update(status=int(status.split(maxsplit=1)[0]), content_type=dict(headers).get("Content-Type"))

    try:
        body_text = b"".join(application(environ, start_response)).decode()
        answer["body"] = _TIME.sub("[time]", body_text.partition("\nStack trace:")[0])  # of XGBoost's errors
    except Exception as error:  # the server responds with 500 and its own page
        return {"status": 500, "error": f"{type(error).__name__}: {error}"}
    return answer
