"""The tuning loop: which settings it tries and keeps, and that it restores the original ones."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.environments import Environment
from helpers.errors import UserError
from helpers.spark.event_log.configuration import CLASSIFICATION
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import read
from helpers.spark.event_log.rules.finding import Finding
from ml_pipeline.executions.target import Target
from ml_pipeline.spark import tuning
from ml_pipeline.spark.tuning import Measurement, RunFailedError, is_gain, next_change, search
from tests.spark_submit import SMALL, command, start

PRESENT = json.dumps([{"Classification": "spark-defaults", "Properties": {"spark.a": "1"}}])


def finding(kind: str, seconds: float, **settings: str) -> Finding:
    return Finding(kind, "seen", "change", "effect", settings=settings, seconds=seconds)


A = finding("a", 5.0, **{"spark.a": "2"})
B = finding("b", 3.0, **{"spark.b": "2"})


def properties(text: str) -> dict[str, str]:
    return json.loads(text)[0]["Properties"]


class Cluster:
    """Runs in a time that depends on the settings, and always with the same findings."""

    def __init__(self, seconds: Callable[[dict[str, str], int], float]):
        self.seconds = seconds
        self.ran: list[dict[str, str]] = []
        self.printed: list[str] = []

    def __call__(self, text: str) -> Measurement:
        self.ran.append(properties(text))
        return Measurement(self.seconds(properties(text), len(self.ran)), [A, B])


@pytest.mark.parametrize(
    ("ratios", "gain"),
    [
        ([0.8, 0.9], True),
        ([0.8, 1.01], False),  # the two runs disagree
        ([0.98, 0.975], False),  # too small a gain
        ([0.5, float("inf")], False),  # a failed run
        ([], False),
    ],
)
def test_a_gain_is_one_beyond_noise(ratios, gain) -> None:
    assert is_gain(ratios) is gain


def test_the_most_time_is_tried_first_and_nothing_twice() -> None:
    assert next_change([A, B], PRESENT, set()) is A
    assert next_change([A, B], PRESENT, {json.dumps(A.settings)}) is B
    assert next_change([finding("a", 5.0, **{"spark.a": "1"}), B], PRESENT, set()) is B, "it is so already"


@pytest.mark.parametrize("useless", [finding("no setting", 9.0), finding("no time", 0.0, **{"spark.a": "2"})])
def test_what_no_setting_fixes_is_not_tried(useless) -> None:
    assert next_change([useless], PRESENT, set()) is None


def test_what_is_faster_is_kept_and_what_is_not_is_not() -> None:
    cluster = Cluster(lambda p, _: 10.0 - 4.0 * (p["spark.a"] == "2") + 1.0 * ("spark.b" in p))

    text = search(cluster, PRESENT, 5, 2, cluster.printed.append)

    assert properties(text) == {"spark.a": "2"}
    assert len(cluster.ran) == 1 + 2 * 2 + 2 * 2
    assert cluster.ran[5:] == [{"spark.a": "2"}, {"spark.a": "2", "spark.b": "2"}] * 2, "in turn"
    assert cluster.printed[0] == "Current settings: 10.0 s"
    assert "  10.0 s before, 6.0 s after, ratio 0.60" in cluster.printed
    assert cluster.printed[-1] == "No other finding can be resolved by a setting."


def test_a_machine_that_grows_faster_by_itself_wins_nothing() -> None:
    cluster = Cluster(lambda _, number: 100.0 - number * 0.5)

    assert search(cluster, PRESENT, 5, 3, cluster.printed.append) == PRESENT


def test_no_more_rounds_than_asked_for() -> None:
    cluster = Cluster(lambda p, _: 10.0 - len(p))

    search(cluster, PRESENT, 1, 1, cluster.printed.append)

    assert len(cluster.ran) == 3


def test_a_change_that_breaks_the_job_is_not_kept_and_does_not_end_the_loop() -> None:
    def seconds(p: dict[str, str], _: int) -> float:
        if p["spark.a"] == "2":
            raise RunFailedError("out of memory")
        return 10.0 - 3.0 * ("spark.b" in p)

    cluster = Cluster(seconds)

    assert properties(search(cluster, PRESENT, 5, 2, cluster.printed.append)) == {
        "spark.a": "1",
        "spark.b": "2",
    }
    assert "  out of memory" in cluster.printed


SHUFFLE = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
rows = spark.read.csv(sys.argv[1], "_c0 INT, _c1 DOUBLE")
rows.groupBy("_c0").avg("_c1").write.format("noop").mode("overwrite").save()
spark.stop()
"""


@pytest.mark.timeout(300)
def test_a_setting_that_real_runs_suffer_from_is_found_and_replaced(tmp_path) -> None:
    """Uses Spark, a file with rows, and the findings of its logs. Counts tasks, not seconds."""
    app = tmp_path / "shuffle.py"
    app.write_text(SHUFFLE)
    data = tmp_path / "rows.csv"
    data.write_text("".join(f"{number % 29},{number / 7:.3f}\n" for number in range(4000)))
    bad = {"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": "200"}
    runs = itertools.count()
    printed: list[str] = []

    def measured(text: str) -> Measurement:
        run = tmp_path / f"{next(runs)}"
        (run / "logs").mkdir(parents=True)
        logs = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": (run / "logs").as_uri()}
        words = command(app, str(data), conf={**SMALL, **logs, **properties(text)})
        process = start(words)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        profile = read(run / "logs")
        return Measurement(float(sum(stage.tasks for stage in profile.stages.values())), findings(profile))

    best = search(
        measured, json.dumps([{"Classification": CLASSIFICATION, "Properties": bad}]), 1, 1, printed.append
    )

    assert printed[1].startswith("Round 1, small partitions: spark.sql.shuffle.partitions = ")
    assert int(properties(best)["spark.sql.shuffle.partitions"]) < 10
    assert printed[-1].startswith("  kept: the median ratio is 0.0")


class Quiet:
    """A console that stores its output."""

    is_interactive = False

    def __init__(self) -> None:
        self.printed = ""

    def print(self, text: str, **_: object) -> None:
        self.printed += f"{text}\n"


class Jobs:
    """A step whose configuration is a file of the test, and its upserts."""

    def __init__(self, folder: Path, environment: str):
        self.file = folder / "configuration.json"
        self.file.write_text(PRESENT)
        self.upserted: list[str] = []
        step = SimpleNamespace(configuration_file=self.file.name)
        self.project = SimpleNamespace(
            environment=Environment(environment),
            pipeline=SimpleNamespace(name="fares"),
            parameters=SimpleNamespace(spark_steps={"clean": None, "join": step}),
            target=Target(Environment(environment), "fares", "Fares"),
        )

    def upsert(self, *_: object) -> None:
        self.upserted.append(self.file.read_text())


@pytest.fixture
def jobs(small_project: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    made = Jobs(tmp_path, "local")
    monkeypatch.setattr(tuning, "FOLDER", tmp_path)
    monkeypatch.setattr(tuning, "open_project", lambda *_: made.project)
    monkeypatch.setattr(tuning, "upsert_all", made.upsert)
    return made


def run_tuning(jobs: Jobs, console: Quiet, step: str | None = None) -> None:
    tuning.tune(jobs.project, console, step, 5, 1)  # type: ignore[arg-type]  # test doubles


@pytest.mark.parametrize("error", [KeyboardInterrupt, RunFailedError("the job throws")])
@pytest.mark.parametrize("step", [None, "join"])
def test_the_file_is_restored_whatever_interrupts_the_loop(jobs, monkeypatch, error, step) -> None:
    runs: list[tuple[str, str]] = []

    def run(_project: object, name: str, _console: object) -> Measurement:
        runs.append((name, jobs.file.read_text()))
        if len(runs) == 3:
            raise error
        return Measurement(10.0, [A])

    monkeypatch.setattr(tuning, "_measured", run)
    console = Quiet()

    if error is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            run_tuning(jobs, console, step)
        assert f"Restoring {jobs.file}." in console.printed
    else:  # of a change, not of the end
        run_tuning(jobs, console, step)
        assert "nothing was faster" in console.printed

    assert {name for name, _ in runs} == {"join"}, "the last step, unless another is named"
    assert properties(runs[2][1]) == {"spark.a": "2"}, "it was changed meanwhile"
    assert jobs.file.read_text() == PRESENT
    assert jobs.upserted[-1] == PRESENT


def test_the_file_is_restored_also_where_the_pipeline_cannot_be(jobs, monkeypatch) -> None:
    def run(*_: object) -> Measurement:
        jobs.file.write_text("changed")
        raise KeyboardInterrupt

    def gone(*_: object) -> object:
        if jobs.file.read_text() == PRESENT and "Restoring" in console.printed:
            raise UserError("AWS does not answer")
        return jobs.project

    monkeypatch.setattr(tuning, "_measured", run)
    monkeypatch.setattr(tuning, "open_project", gone)
    console = Quiet()

    with pytest.raises(
        UserError,
        match=r"AWS does not answer; the pipeline still has trial settings\n"
        r"Hint: .*make upsert ENV=local PIPELINE=fares",
    ):
        run_tuning(jobs, console)

    assert jobs.file.read_text() == PRESENT


def test_an_unknown_step_is_rejected_before_anything_runs(jobs) -> None:
    with pytest.raises(
        UserError, match="unknown step 'joins' of pipeline fares; expected one of clean, join"
    ):
        run_tuning(jobs, Quiet(), "joins")

    assert jobs.upserted == []


def test_nothing_is_tried_where_others_rely_on_it(small_project: None, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="which live does not allow"):
        run_tuning(Jobs(tmp_path, "live"), Quiet())
