"""Jobs get the same result as from AWS's own code, recorded with `make test-peers CONTAINER=`."""

from pathlib import Path

import pytest

from tests.peers.spark_container.comparison import difference
from tests.peers.spark_container.embedded import outcome
from tests.peers.spark_container.jobs import PARTS
from tests.peers.spark_container.recorded import recorded

JOBS = {job.name: job for jobs in PARTS.values() for job in jobs()}


@pytest.mark.parametrize("name", recorded())
def test_a_job_has_the_result_that_it_has_in_the_image(name: str, tmp_path: Path) -> None:
    assert difference(recorded()[name], outcome(JOBS[name], tmp_path)) == ""
