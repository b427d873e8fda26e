"""The life cycle of a model with `make`: training, registration, approval, scoring, withheld predictions."""

import io
import json
from html import unescape
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.checkout import Checkout, copy_of, outputs, summary_value

SAMPLE = "spark_jobs/sample_data/abalone_to_score.csv"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, repository):
    checkout = copy_of(repository, tmp_path_factory.mktemp("checkout"))
    yield checkout
    checkout.make("down")


@pytest.fixture(scope="module")
def trained(checkout) -> str:
    return checkout.made("run", "PIPELINE=train")


@pytest.fixture(scope="module")
def scored(checkout, trained) -> str:
    checkout.made("approve", "MODEL=1")
    return checkout.made("run", "PIPELINE=score")


def packages(checkout: Checkout) -> list[dict[str, Any]]:
    """The versions of the model, oldest first."""
    sagemaker = checkout.client("sagemaker")
    (group,) = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    listed = sagemaker.list_model_packages(
        ModelPackageGroupName=group["ModelPackageGroupName"], SortBy="CreationTime", SortOrder="Ascending"
    )
    return [
        sagemaker.describe_model_package(ModelPackageName=each["ModelPackageArn"])
        for each in listed["ModelPackageSummaryList"]
    ]


def published(checkout: Checkout, folder: str) -> list[dict[str, Any]]:
    """The predictions in a folder of Parquet files, by key."""
    files = [uri for uri in checkout.under(folder) if uri.endswith(".parquet")]
    rows = [row for uri in files for row in pq.read_table(io.BytesIO(checkout.read(uri))).to_pylist()]
    return sorted(rows, key=lambda row: row["id"])


def newest_report(checkout: Checkout, scored: str) -> dict[str, Any]:
    """The report that consumers of predictions read."""
    base = outputs(scored)["parquet"].partition("/runs/")[0]
    report: dict[str, Any] = json.loads(checkout.read(f"{base}/report.json"))
    return report


def test_a_trained_model_is_registered_with_what_it_was_measured_by_and_waits(checkout, trained) -> None:
    (package,) = packages(checkout)

    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    quality = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    evaluation = json.loads(checkout.read(quality))
    assert evaluation["decision"] == "register"
    assert evaluation["metrics"]["rmse"] < evaluation["thresholds"]["limit"]
    assert {each["value"] for each in evaluation["slices"]} == {"M", "F", "I"}
    card = json.loads(package["ModelCard"]["ModelCardContent"])
    (details,) = card["evaluation_details"]
    assert details["metric_groups"][0]["metric_data"][0]["value"] == evaluation["metrics"]["rmse"]
    assert evaluation["model_digest"] == package["CustomerMetadataProperties"]["model-digest"]
    page = checkout.folder / trained.partition("Execution report: file://")[2].split()[0]
    assert card["intended_uses"]["intended_uses"] in unescape(page.read_text())
    baseline = package["DriftCheckBaselines"]["ModelDataQuality"]["Statistics"]["S3Uri"]
    names = [each["name"] for each in json.loads(checkout.read(baseline))["features"]]
    assert (names[0], names[-1]) == ("rings", "prediction")


def test_training_again_on_the_same_data_registers_nothing_new(checkout, trained) -> None:
    output = checkout.made("start", "PIPELINE=train")

    assert summary_value(output, "Status") == "Succeeded"
    assert len(packages(checkout)) == 1


def test_without_an_approved_model_nothing_is_scored(checkout, trained) -> None:
    checkout.made("upsert", "PIPELINE=score")

    code, output = checkout.make("start", "PIPELINE=score")

    assert code != 0
    assert "make approve" in output


def test_an_approved_model_scores_and_its_predictions_are_published_by_key(checkout, scored) -> None:
    lines = (checkout.folder / SAMPLE).read_text().splitlines()

    rows = published(checkout, outputs(scored)["parquet"])

    assert [row["id"] for row in rows] == [int(line.partition(",")[0]) for line in lines]
    assert all(1 <= row["prediction"] <= 29 for row in rows)
    assert newest_report(checkout, scored)["outputs"]["parquet"]["rows"] == len(lines)
    checkout.made("verify", "PIPELINE=score")


def test_drifted_data_is_rejected_and_what_was_published_stays(checkout, scored) -> None:
    before = newest_report(checkout, scored)
    lines = (checkout.folder / SAMPLE).read_text().splitlines()
    heavier = [line.split(",") for line in lines]
    (checkout.folder / SAMPLE).write_text(
        "".join(f"{','.join([*row[:5], str(2 * float(row[5])), *row[6:]])}\n" for row in heavier)
    )
    checkout.made("data", "PIPELINE=score")

    code, output = checkout.make("start", "PIPELINE=score")

    assert code != 0
    assert f"drift: none of {len(lines):,} rows is published: whole_weight: PSI" in output
    assert newest_report(checkout, scored) == before
    drift = json.loads(checkout.read(f"{outputs(scored)['parquet'].partition('/runs/')[0]}/drift.json"))
    assert "whole_weight" in [each["name"] for each in drift["columns"] if each["exceeded"]]
