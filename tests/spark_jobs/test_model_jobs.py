"""The jobs of a model, with Abalone and with generated loans, from raw rows to published predictions.

XGBoost trains and scores here instead of the training and transform jobs, which tests/e2e uses.
"""

import io
import json
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import etl.ingestion.job as job_module
import numpy as np
import pyarrow.parquet as pq
import pytest
from etl.errors import JobError
from etl.ingestion.assignment import Assignment, Result, run_task
from etl.ingestion.fields import Double, Integer, String
from etl.ingestion.inputs import Part
from model_quality import evaluation, post_processing, sample, scoring_data, training_data
from model_quality.data import ModelData
from pyspark.sql import SparkSession
from sklearn import metrics as oracle

from ml_pipeline.params.execution_parameters import NOT_GIVEN
from tests.spark_submit import JOBS, packages

sys.path.append(str(packages("requirements-evaluation.in")))
sys.path.append(str(Path(__file__).with_name("model_quality")))

import loans
import xgboost
from abalone_model import DATA as ABALONE

SAMPLES = JOBS / "sample_data"


@pytest.fixture(autouse=True)
def tasks_in_this_process(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run tasks without Python workers, which tests of ingestion use."""

    def run(_: SparkSession, assignment: Assignment, parts: Sequence[Part]) -> list[Result]:
        results = [run_task(assignment, part) for part in parts]
        for result in results:
            if result.problem:
                raise JobError(result.problem)
        return results

    monkeypatch.setattr(job_module, "_run_tasks", run)


class Life:
    """The life cycle of a model in a folder."""

    def __init__(self, folder: Path, data: ModelData, parameters: dict[str, Any]):
        self.folder, self.data, self.parameters = folder, data, parameters

    def write(self, name: str, lines: Sequence[str]) -> Path:
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def prepare(self, source: Path, *options: str) -> Path:
        target = self.folder / "training"
        words = ["--input_table", str(source), "--training_data", str(target), *options]
        training_data.prepare(self.data, words)
        return self.newest(target)

    def train(self, run: Path, name: str = "model", rounds: int = 20) -> Path:
        rows = matrix(run / "train")
        training = xgboost.DMatrix(rows[:, 1:], label=rows[:, 0])
        booster = xgboost.train({**self.parameters, "nthread": 1}, training, rounds)
        return archive(self.folder / f"{name}.tar.gz", {"xgboost-model": bytes(booster.save_raw("ubj"))})

    def transform(self, model: Path, source: Path, name: str) -> Path:
        """Score the columns after the first one, and join the predictions to their rows."""
        booster = loaded(model)
        target = self.folder / name
        target.mkdir()
        for file in source.iterdir():
            lines = file.read_text().splitlines()
            rows = np.array([[float(each or "nan") for each in line.split(",")[1:]] for line in lines])
            predictions = booster.predict(xgboost.DMatrix(rows)).tolist()
            joined = [f"{line},{value}\n" for line, value in zip(lines, predictions, strict=True)]
            (target / f"{file.name}.out").write_text("".join(joined))
        return target

    def evaluate(
        self, run: Path, predictions: Path, model: Path, *options: str
    ) -> tuple[dict[str, Any], Path]:
        target = self.folder / "evaluations"
        names = {
            "training_data": run,
            "predictions": predictions,
            "model_data_url": model,
            "evaluation": target,
        }
        words = [word for name, path in names.items() for word in (f"--{name}", str(path))]
        evaluation.evaluate(self.data, [*words, *options])
        written = self.newest(target)
        return json.loads((written / "evaluation/evaluation.json").read_text()), written

    def prepare_scoring(self, source: Path, baseline: Path | str) -> Path:
        target = self.folder / "scoring"
        words = ["--input_table", str(source), "--baseline", str(baseline), "--scoring_data", str(target)]
        scoring_data.prepare(self.data, words)
        return self.newest(target)

    def post_process(self, predictions: Path, baseline: Path | str, *options: str) -> Path:
        target = self.folder / "predicted"
        words = ["--predictions", str(predictions), "--baseline", str(baseline), "--predicted", str(target)]
        post_processing.post_process(self.data, [*words, *options])
        return self.newest(target)

    def newest(self, target: Path) -> Path:
        report = json.loads((target / "report.json").read_text())
        (found,) = [run for run in (target / "runs").iterdir() if matches(run / "report.json", report)]
        return found


def matches(path: Path, report: Any) -> bool:
    return path.is_file() and json.loads(path.read_text()) == report


def matrix(folder: Path) -> Any:
    lines = [line for file in sorted(folder.iterdir()) for line in file.read_text().splitlines()]
    return np.array([[float(each or "nan") for each in line.split(",")] for line in lines])


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def loaded(model: Path) -> Any:
    with tarfile.open(model) as file:
        (member,) = file.getmembers()
        content = file.extractfile(member)
        assert content
        booster = xgboost.Booster()
        booster.load_model(bytearray(content.read()))
    return booster


REGRESSION = {"objective": "reg:squarederror", "max_depth": 4}
CLASSES = {"objective": "binary:logistic", "max_depth": 3}


@pytest.fixture
def abalone(tmp_path: Path) -> Life:
    return Life(tmp_path, ABALONE, REGRESSION)


@pytest.fixture
def of_loans(tmp_path: Path) -> Life:
    return Life(tmp_path, loans.LOANS, CLASSES)


def trained(life: Life) -> tuple[Path, Path, Path]:
    """Return the run of training data, a model, and its predictions for the test data."""
    source = SAMPLES / "abalone.csv"
    if life.data is loans.LOANS:
        source = life.write("loans.csv", list(loans.training_rows(3_000)))
    run = life.prepare(source)
    model = life.train(run)
    return run, model, life.transform(model, run / "test", "tested")


LIMITS = {
    "abalone": ("--metric", "rmse", "--limit", "2.6"),
    "of_loans": ("--metric", "auc", "--limit", "0.8"),
}


def test_training_data_is_what_the_built_in_algorithm_takes(abalone: Life) -> None:
    run = abalone.prepare(SAMPLES / "abalone.csv")

    parts = {name: matrix(run / name) for name in ("train", "validation", "test")}
    assert {name: len(rows) for name, rows in parts.items()} == {
        "train": 2897,
        "validation": 643,
        "test": 637,
    }
    assert {path.suffix for name in parts for path in (run / name).iterdir()} == {".csv"}
    together = sorted(map(tuple, np.concatenate(list(parts.values())).tolist()))
    source = [line.split(",") for line in (SAMPLES / "abalone.csv").read_text().splitlines()]
    sexes = ("M", "F", "I")
    assert together == sorted(
        (float(rings), *(float(sex == each) for each in sexes), *map(float, measures))
        for sex, *measures, rings in source
    )


def test_the_same_row_is_in_the_same_part_whatever_else_there_is(abalone: Life) -> None:
    lines = (SAMPLES / "abalone.csv").read_text().splitlines()
    few = abalone.prepare(abalone.write("few.csv", lines[:1_000]))
    parts = {name: set(map(tuple, matrix(few / name).tolist())) for name in ("train", "validation", "test")}

    reordered = abalone.prepare(abalone.write("all.csv", lines[::-1]))

    for name, rows in parts.items():
        assert rows <= set(map(tuple, matrix(reordered / name).tolist())), name


def test_the_baseline_describes_the_rows_that_are_trained_on(abalone: Life) -> None:
    run = abalone.prepare(SAMPLES / "abalone.csv")

    statistics, constraints, columns = (
        json.loads((run / "baseline" / f"{name}.json").read_text())
        for name in ("statistics", "constraints", "columns")
    )
    rows = matrix(run / "train")
    by_name = {each["name"]: each for each in statistics["features"]}
    assert statistics["dataset"] == {"item_count": len(rows)}
    assert list(by_name) == ["rings", "sex", *(each["name"] for each in columns["features"][1:])]
    rings = by_name["rings"]["numerical_statistics"]
    buckets = rings.pop("distribution")["kll"]["buckets"]
    assert rings.pop("common") == {"num_present": len(rows), "num_missing": 0}
    assert rings == pytest.approx(
        {
            "mean": rows[:, 0].mean(),
            "sum": rows[:, 0].sum(),
            "std_dev": rows[:, 0].std(),
            "min": rows[:, 0].min(),
            "max": rows[:, 0].max(),
        }
    )
    edges = [buckets[0]["lower_bound"], *(each["upper_bound"] for each in buckets)]
    assert np.histogram(rows[:, 0], edges)[0].tolist() == [each["count"] for each in buckets]
    (kinds,) = by_name["sex"]["string_statistics"]["distribution"].values()
    assert {each["value"]: each["count"] for each in kinds["buckets"]} == {
        sex: int(rows[:, 1 + index].sum()) for index, sex in enumerate(("M", "F", "I"))
    }
    assert [each["inferred_type"] for each in statistics["features"]][:3] == [
        "Integral",
        "String",
        "Fractional",
    ]
    assert {each["completeness"] for each in constraints["features"]} == {1.0}
    assert columns["encoded"][:4] == ["sex=M", "sex=F", "sex=I", "length"]


@pytest.mark.parametrize("name", LIMITS)
def test_from_raw_rows_to_published_predictions(name, request) -> None:
    life: Life = request.getfixturevalue(name)
    run, model, predictions = trained(life)

    evaluated, written = life.evaluate(run, predictions, model, *LIMITS[name])

    rows = matrix(predictions)
    label, prediction = rows[:, 0], rows[:, -1]
    expected = (
        {"rmse": oracle.root_mean_squared_error(label, prediction), "r2": oracle.r2_score(label, prediction)}
        if name == "abalone"
        else {"accuracy": oracle.accuracy_score(label, prediction >= 0.5)}
    )
    assert {metric: evaluated["metrics"][metric] for metric in expected} == pytest.approx(expected)
    assert (evaluated["decision"], evaluated["champion"]) == ("register", None)
    assert sum(each["rows"] for each in evaluated["slices"]) == evaluated["rows"] == len(rows)
    card = json.loads((written / "evaluation/model_card.json").read_text())
    (details,) = json.loads(card["evaluation_details"])
    groups = {
        group["name"]: {each["name"]: each["value"] for each in group["metric_data"]}
        for group in details["metric_groups"]
    }
    assert groups.pop("all rows") == evaluated["metrics"]
    assert groups == {f"{each['column']} = {each['value']}": each["metrics"] for each in evaluated["slices"]}
    assert evaluated["reason"] in details["evaluation_observation"]
    for chart in ("calibration", "slices"):
        ElementTree.parse(written / "evaluation" / f"{chart}.svg")

    new = SAMPLES / "abalone_to_score.csv"
    if name == "of_loans":
        new = life.write("new.csv", list(loans.scoring_rows(800)))
    scoring = life.prepare_scoring(new, written / "baseline")
    scored = life.transform(model, scoring / "features", "scored")
    published = life.post_process(scored, written / "baseline/statistics.json")

    table = pq.read_table(published / "parquet")
    assert table.column_names == [life.data.key.name, "prediction"]
    keys = [line.partition(",")[0] for line in new.read_text().splitlines()]
    assert [str(key) for key in table.column(0).to_pylist()] == keys
    lines = "".join(file.read_text() for file in (published / "csv").glob("*.csv")).splitlines()
    assert lines[0] == f"{life.data.key.name},prediction"
    assert [float(line.partition(",")[2]) for line in lines[1:]] == table.column(1).to_pylist()
    assert table.column(1).to_pylist() == matrix(scored)[:, -1].tolist() if name == "abalone" else True
    drift = json.loads((published / "drift/drift.json").read_text())
    assert (drift["rows"], drift["drifted"], drift["decision"]) == (len(keys), False, "publish")
    assert drift["columns"][-1]["name"] == "prediction"


SCORED = "transformed"


def scored_again(life: Life, written: Path, model: Path) -> tuple[Path, list[str]]:
    """Return the sample of an evaluation, and the output of a transform of it: both predictions per row."""
    found = written / "evaluation/sample.csv"
    folder = life.folder / "samples"
    folder.mkdir()
    (folder / found.name).write_bytes(found.read_bytes())
    (file,) = life.transform(model, folder, SCORED).iterdir()
    lines = [line.split(",") for line in file.read_text().splitlines()]
    return found, [f"{line[0]},{line[-1]}" for line in lines]


def check_sample(life: Life, found: Path, lines: Sequence[str]) -> dict[str, Any]:
    (file,) = (life.folder / SCORED).iterdir()
    file.write_text("".join(f"{line}\n" for line in lines))
    target = life.folder / "checked"
    words = ["--predictions", str(file.parent), "--sample", str(found), "--checked", str(target)]
    sample.check(words)
    agreement: dict[str, Any] = json.loads((life.newest(target) / "agreement.json").read_text())
    return agreement


def test_a_sample_that_is_scored_again_has_the_recorded_predictions(abalone: Life) -> None:
    run, model, predictions = trained(abalone)
    # As an execution passes it that a rule has started: there is nothing to compare with.
    not_given = ("--champion_model_data_url", NOT_GIVEN)
    _, written = abalone.evaluate(run, predictions, model, *LIMITS["abalone"], *not_given)

    found, lines = scored_again(abalone, written, model)

    tested = {(row[-1], *row[1:-1]) for row in map(tuple, matrix(predictions).tolist())}
    rows = [tuple(map(float, line.split(","))) for line in found.read_text().splitlines()]
    assert len(rows) == sample.SAMPLE_ROWS
    assert set(rows) <= tested
    assert check_sample(abalone, found, lines) == {"rows": 100, "different": 0, "largest": 0.0, "limit": 1e-4}

    recorded, _, new = lines[0].partition(",")
    for changed, problem in (
        (lines[1:], "it has 100 rows, and there are predictions for 99"),
        (
            [f"{recorded},{float(new) * 1.001}", *lines[1:]],
            "1 of 100 predictions differ from the recorded ones",
        ),
        ([f"{recorded},", *lines[1:]], "1 of 100 rows are malformed"),
        ([f"{recorded},nan", *lines[1:]], "1 of 100 rows are malformed"),
    ):
        with pytest.raises(JobError, match=problem):
            check_sample(abalone, found, changed)


def test_drifted_rows_are_not_published_and_what_was_stays(of_loans: Life) -> None:
    run, model, predictions = trained(of_loans)
    _, written = of_loans.evaluate(run, predictions, model, *LIMITS["of_loans"])
    baseline = written / "baseline"
    before = of_loans.write("before.csv", list(loans.scoring_rows(800)))
    drifted = of_loans.write("drifted.csv", list(loans.scoring_rows(800, factor=5)))
    features = of_loans.prepare_scoring(before, baseline) / "features"
    first = of_loans.post_process(of_loans.transform(model, features, "first"), baseline)
    features = of_loans.prepare_scoring(drifted, baseline) / "features"
    scored = of_loans.transform(model, features, "second")

    assert of_loans.post_process(scored, baseline) == first, "what was published before is still the newest"

    assert of_loans.newest(of_loans.folder / "predicted") == first
    (rejected,) = [each for each in (of_loans.folder / "predicted/runs").iterdir() if each != first]
    assert sorted(path.name for path in rejected.iterdir()) == ["drift", "report.json"]
    report = json.loads((rejected / "report.json").read_text())
    assert report["outputs"] == {}
    (check,) = report["checks"]
    assert check["expected"] == 0 < check["actual"]
    newest = json.loads((of_loans.folder / "predicted/drift.json").read_text())
    assert newest == json.loads((rejected / "drift/drift.json").read_text())
    assert newest["drifted"]
    assert newest["decision"] == "withhold"
    assert newest["reason"].startswith("drift: none of 800 rows is published: amount: PSI")
    assert "raise max_psi" in newest["reason"]
    assert [each["name"] for each in newest["columns"] if each["exceeded"]] == ["amount", "prediction"]
    of_loans.post_process(scored, baseline, "--max_psi", "99", "--max_ks", "1")


def test_the_approved_model_is_scored_on_the_same_rows(abalone: Life) -> None:
    run, model, predictions = trained(abalone)
    worse = abalone.train(run, "worse", rounds=4)
    limits = ("--metric", "rmse", "--limit", "9")

    better, _ = abalone.evaluate(run, predictions, model, *limits, "--champion_model_data_url", str(worse))

    rows = matrix(predictions)
    of_worse = loaded(worse).predict(xgboost.DMatrix(rows[:, 1:-1]))
    assert better["champion"]["metrics"]["rmse"] == pytest.approx(
        oracle.root_mean_squared_error(rows[:, 0], of_worse)
    )
    assert better["decision"] == "register"
    of_worse = abalone.transform(worse, run / "test", "tested-worse")
    rejected, _ = abalone.evaluate(run, of_worse, worse, *limits, "--champion_model_data_url", str(model))
    assert rejected["decision"] == "reject"
    assert "is not better than that of the approved model" in rejected["reason"]


def test_the_approved_model_is_known_by_its_content(abalone: Life) -> None:
    run, model, predictions = trained(abalone)
    again = abalone.train(run, "again")

    found, _ = abalone.evaluate(
        run, predictions, model, *LIMITS["abalone"], "--champion_model_data_url", str(again)
    )

    assert found["decision"] == "unchanged"


BAD_ROWS = {
    "no label": (["M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,"] * 50, "rings is missing"),
    "one label": (
        [f"M,0.455,0.365,0.095,0.514,0.2245,0.101,{size / 100},9" for size in range(300)],
        r"label rings is 9\.0 in all 2\d\d rows of the training data.*add rows with other labels",
    ),
    "no test data": (
        ["M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,15"] * 50,
        r"in\.csv: none of its 50 valid rows is (train|validation|test) data: add different rows "
        r"\(equal ones are in the same data set\), or (raise|lower) ",
    ),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_rows_of_which_no_model_can_be_made_are_rejected_and_nothing_is_published(abalone, name) -> None:
    lines, message = BAD_ROWS[name]

    with pytest.raises(JobError, match=message):
        abalone.prepare(abalone.write("in.csv", lines))

    assert not (abalone.folder / "training/report.json").exists()
    (run,) = (abalone.folder / "training/runs").iterdir()
    assert [path.name for path in run.iterdir()] in ([], ["rejected"])


@pytest.fixture
def evaluable(abalone: Life) -> tuple[Life, Path, Path, Path]:
    return (abalone, *trained(abalone))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda line: f"{line.rpartition(',')[0]},nan", r"tested.*prediction is not finite"),
        (
            lambda line: f"9,{line.partition(',')[2]}",
            r"r2 of the model is not a number \(NaN\).*label rings is",
        ),
        (lambda line: f",{line.partition(',')[2]}", "rings is missing"),
        (lambda line: f"{line.rpartition(',')[0]},7.5", r"model\.tar\.gz: its predictions differ"),
        (lambda line: line.rpartition(",")[0], "11 fields instead of 12"),
    ],
)
def test_predictions_that_cannot_be_evaluated_are_rejected(evaluable, change, message) -> None:
    life, run, model, predictions = evaluable
    for file in predictions.iterdir():
        file.write_text("".join(f"{change(line)}\n" for line in file.read_text().splitlines()))

    with pytest.raises(JobError, match=message):
        life.evaluate(run, predictions, model, *LIMITS["abalone"])

    assert not (life.folder / "evaluations/report.json").exists()


def test_artifacts_that_are_gone_or_something_else_are_named(evaluable) -> None:
    life, run, model, predictions = evaluable
    limits = LIMITS["abalone"]
    option = "--champion_model_data_url"
    cases = {
        life.folder / "gone.tar.gz": rf"{option}: there is no .*/gone\.tar\.gz: name a model whose artifact",
        archive(life.folder / "two.tar.gz", {"a": b"1", "b": b"2"}): "has a, b; expected one booster",
        life.write("text.tar.gz", ["text"]): r"text\.tar\.gz is not a model\.tar\.gz",
        archive(life.folder / "text-in.tar.gz", {"a": b"text"}): r"text-in\.tar\.gz",
    }
    for path, message in cases.items():
        with pytest.raises(JobError, match=message):
            life.evaluate(run, predictions, model, *limits, option, str(path))

    with pytest.raises(
        JobError, match="--metric auc: label rings is a number: expected one of rmse, mae, r2"
    ):
        life.evaluate(run, predictions, model, "--metric", "auc", "--limit", "1")


@pytest.mark.parametrize(
    ("columns", "message"),
    [(12, "was trained on 12 features, and rows have 10: reject that model"), (5, "cannot score rows of 10")],
)
def test_an_approved_model_of_other_features_cannot_be_compared(evaluable, columns, message) -> None:
    life, run, model, predictions = evaluable
    random = np.random.default_rng(1)
    training = xgboost.DMatrix(random.normal(size=(50, columns)), label=random.normal(size=50))
    booster = xgboost.train({"nthread": 1}, training, 2)
    other = archive(life.folder / "other.tar.gz", {"xgboost-model": bytes(booster.save_raw("ubj"))})

    with pytest.raises(JobError, match=message):
        life.evaluate(run, predictions, model, *LIMITS["abalone"], "--champion_model_data_url", str(other))


def test_no_test_data_is_named(evaluable) -> None:
    life, run, model, predictions = evaluable
    for file in predictions.iterdir():
        file.write_text("")

    with pytest.raises(JobError, match="tested has no data rows: add some, or correct the input"):
        life.evaluate(run, predictions, model, *LIMITS["abalone"])


@pytest.mark.parametrize("baseline", ["none", "", "nowhere"])
def test_a_package_without_baseline_is_not_scored(abalone, baseline) -> None:
    given = str(abalone.folder / baseline) if baseline == "nowhere" else baseline
    message = "has no baseline.*train and register"

    with pytest.raises(JobError, match=message):
        abalone.prepare_scoring(SAMPLES / "abalone_to_score.csv", given)
    with pytest.raises(JobError, match=message):
        abalone.post_process(abalone.folder, given)


@pytest.mark.parametrize("option", ["--max_psi", "--max_ks", "--max_missing"])
def test_a_limit_of_drift_that_is_no_number_publishes_nothing(abalone, option) -> None:
    with pytest.raises(JobError, match=f"{option} nan: expected a"):
        abalone.post_process(abalone.folder, "baseline", option, "nan")

    assert not (abalone.folder / "predicted").exists()


def test_a_baseline_without_predictions_is_rejected(abalone) -> None:
    run = abalone.prepare(SAMPLES / "abalone.csv")

    with pytest.raises(
        JobError, match=r"baseline/statistics\.json has no statistics of prediction: register"
    ):
        abalone.post_process(run, run / "baseline")


def test_code_of_other_features_does_not_score(abalone, of_loans) -> None:
    run = abalone.prepare(SAMPLES / "abalone.csv")

    with pytest.raises(
        JobError, match="trained on other features: sex of M, F, I is now purpose of car, home"
    ):
        of_loans.prepare_scoring(abalone.write("new.csv", list(loans.scoring_rows(5))), run / "baseline")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((Double("b"),), "label a is not a field"),
        ((Double("a", required=False), Double("b")), "label a may be missing"),
        ((String("a", choices=("x", "y", "z")), Double("b")), "label a: declare two choices, or a number"),
        ((Integer("a"), String("b")), "field b: a model takes numbers, and String with choices"),
    ],
)
def test_an_impossible_model_is_reported_at_its_declaration(fields, message) -> None:
    with pytest.raises(JobError, match=message):
        _ = ModelData(fields=fields, label="a", key=Integer("id")).columns


@pytest.mark.parametrize("name", ["b", "c", "a"])
def test_a_slice_that_is_no_feature_with_choices_is_named(name) -> None:
    kinds = String("kind", choices=("x", "y"))
    data = ModelData(
        fields=(Double("a"), Double("b"), kinds), label="a", key=Integer("id"), slices=("kind", name)
    )

    with pytest.raises(JobError, match=f"slices: {name} is not a feature with choices: name one of kind in"):
        _ = data.columns


@pytest.mark.parametrize(
    ("option", "value"), [("--limit", "nan"), ("--min_improvement", "nan"), ("--limit", "1e999")]
)
def test_a_limit_that_is_no_number_evaluates_nothing(evaluable, option, value) -> None:
    life, run, model, predictions = evaluable

    with pytest.raises(JobError, match=f"{option} (nan|inf): expected "):
        life.evaluate(run, predictions, model, *LIMITS["abalone"], option, value)

    assert not (life.folder / "evaluations").exists()


def test_a_model_of_other_features_is_not_evaluated(evaluable) -> None:
    life, run, model, predictions = evaluable
    life.data = loans.LOANS

    with pytest.raises(JobError, match=r"--training_data .*: its rows have other features: sex of M, F, I"):
        life.evaluate(run, predictions, model, *LIMITS["abalone"])
