"""The comparison of results of the image and of the embedded AWS."""

from collections import Counter

import pytest

from tests.peers.spark_container import comparison
from tests.peers.spark_container.comparison import comparable, difference, gone, reason
from tests.peers.spark_container.jobs import PARTS
from tests.peers.spark_container.recorded import RECORDED

OUTCOME = {"command": "spark-submit app.py", "sizes": {"spark.executor.cores": "4"}, "files": {}}


def test_only_sizes_are_compared_of_what_the_image_writes_with_them() -> None:
    image = {**OUTCOME, "sizes": {"spark.executor.cores": "4", "spark.executorEnv.AWS_REGION": "None"}}

    assert difference(comparable(image), OUTCOME) == ""


@pytest.mark.parametrize(
    ("here", "text"),
    [
        ({**OUTCOME, "command": "spark-submit b.py"}, "command: 'spark-submit app.py' in the image, '"),
        ({**OUTCOME, "sizes": {}}, "sizes: {'spark.executor.cores': '4'} in the image, {} here"),
        ({"message": "x"}, "; message: None in the image, 'x' here"),
    ],
)
def test_what_differs_is_named(here: dict[str, object], text: str) -> None:
    assert text in difference(OUTCOME, here)


def test_a_reason_must_hold_for_each_job_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "DIFFERENCES", {"why": (r"a: \d", "b")})

    assert reason("a: 1") == "why"
    assert reason("a: x") is None
    assert list(gone(["a: 1", "a: 2", "c"], {"a: 1", "c"})) == ["a: 2", "b"]


def test_jobs_have_names_of_their_own() -> None:
    names = Counter(job.name for jobs in PARTS.values() for job in jobs())

    assert names.most_common(1)[0][1] == 1
    assert {*RECORDED} <= names.keys()
