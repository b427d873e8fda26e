"""Metrics in the output of a training job."""

from helpers.local_aws.training.metrics import MetricReader
from helpers.xgboost.metric_names import metric_definitions


def test_the_last_value_of_each_metric_counts() -> None:
    reader = MetricReader(metric_definitions())

    for line in (
        "[0]\ttrain-rmse:3.5\tvalidation-rmse:4.0",
        "other",
        "[1]\ttrain-rmse:2.5\tvalidation-rmse:nan",
    ):
        reader.read(line)

    found = {metric["MetricName"]: metric["Value"] for metric in reader.final()}
    assert found["train:rmse"] == 2.5
    assert str(found["validation:rmse"]) == "nan"
    assert len(found) == 2


def test_a_value_that_is_not_a_number_is_not_a_metric() -> None:
    reader = MetricReader([{"Name": "loss", "Regex": "loss=(.*)"}])
    reader.read("loss=big")
    assert reader.final() == []
