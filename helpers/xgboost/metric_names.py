"""The metrics that the image evaluates, and the regular expressions that find them in its log."""

MAXIMIZED = (
    *("accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg"),
    *("precision", "r2", "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro"),
)
MINIMIZED = (
    *("aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik"),
    *("interval-regression-accuracy", "logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse"),
    *("poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik"),
)
NAMES = MAXIMIZED + MINIMIZED


def metric_definitions() -> list[dict[str, str]]:
    """Return the metric definitions of the algorithm, as `DescribeTrainingJob` lists them.

    `#011` is a tab in the log of the service.
    """
    return [
        {"Name": f"{channel}:{name}", "Regex": rf".*\[[0-9]+\].*#011{channel}-{name}:(\S+)"}
        for channel in ("train", "validation")
        for name in NAMES
    ]
