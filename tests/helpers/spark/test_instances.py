import json

import pytest

from helpers.errors import UserError
from helpers.spark.instances import INSTANCES, instance, instances, specifications
from ml_pipeline.params.api_limits import limits


def test_every_processing_instance_is_specified_or_named_as_unknown() -> None:
    document = json.loads(INSTANCES.read_text())
    known = set(instances()) | set(document["without_specification"])
    assert known == set(limits("ProcessingInstanceType").values), (
        "run: .venv/bin/python -m helpers.spark.instances"
    )


def test_the_file_is_what_its_command_makes() -> None:
    made, file = specifications(), json.loads(INSTANCES.read_text())
    del made["source"], file["source"]  # these versions can change without a change of values
    assert file == made, "run: .venv/bin/python -m helpers.spark.instances"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ml.p3.2xlarge", r"ml.p3.2xlarge: EC2 no longer lists its vCPUs and memory"),
        (
            "ml.m5.xlarg",
            r"'ml.m5.xlarg' is not an instance type .*\nHint: Name one, as ml.m5.large, ml.m5.xlarge",
        ),
        ("m5.xlarge", r"'m5.xlarge' is not an instance type .*\nHint: Name one, as ml.m5.xlarge"),
    ],
)
def test_an_instance_that_cannot_be_sized_is_rejected(name, message) -> None:
    with pytest.raises(UserError, match=message):
        instance(name)
