from typing import Any

import pytest

from ml_pipeline.controls.image_accounts import image_problem

IMAGE = "571004829621.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu-py312-v1.3"
XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0"


@pytest.mark.parametrize(
    "uri",
    [
        IMAGE,
        XGBOOST,
        IMAGE.replace(":3.5-cpu-py312-v1.3", "@sha256:" + 64 * "0"),
        "671472414489.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-spark-processing:3.5-cpu",
        "210987654321.dkr.ecr.eu-west-1.amazonaws.com/own/image:1",
    ],
)
def test_images_of_trusted_accounts_may_run(uri: str) -> None:
    assert image_problem(uri, ("210987654321",)) is None


@pytest.mark.parametrize(
    "uri",
    [
        "",
        None,
        "sagemaker-spark-processing:3.5-cpu",
        "public.ecr.aws/spark/spark:3.5",
        IMAGE.replace("amazonaws.com", "amazonaws.com.example.org"),
        IMAGE.replace("571004829621.dkr", "571004829621.dkr.example.org/571004829621.dkr"),
        XGBOOST.replace("eu-west-1", "eu-central-1"),
        IMAGE.replace("eu-west-1", "eu-central-1"),  # the account of Spark images only in another region
        IMAGE.replace("571004829621", "210987654321"),
        IMAGE + " --privileged",
    ],
)
def test_other_images_may_not_run(uri: Any) -> None:
    assert image_problem(uri)
