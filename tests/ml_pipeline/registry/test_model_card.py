"""The parts of a model card that are shown."""

import json

import pytest

from ml_pipeline.registry.model_card import card_facts

CARD = {
    "model_overview": {"model_creator": "riders"},
    "intended_uses": {"intended_uses": "Estimates of fares.", "risk_rating": "Low"},
    "training_details": {
        "training_job_details": {
            "training_datasets": ["s3://b/train/"],
            "hyper_parameters": [{"name": "eta", "value": "0.2"}, {"name": "num_round", "value": "50"}],
        }
    },
    "evaluation_details": [
        {
            "name": "test data",
            "evaluation_observation": "637 rows: rmse meets the limit.",
            "metric_groups": [
                {"name": "all rows", "metric_data": [{"name": "rmse", "type": "number", "value": 2.29692}]}
            ],
        }
    ],
    "additional_information": {
        "caveats_and_recommendations": "None.",
        "custom_details": {"commit": "8edf542"},
    },
}


def test_uses_training_and_evaluation_are_shown() -> None:
    assert card_facts(json.dumps(CARD)) == (
        ("Intended uses", "Estimates of fares."),
        ("Risk rating", "Low"),
        ("Caveats and recommendations", "None."),
        ("Training data", "s3://b/train/"),
        ("Hyperparameters", "eta 0.2, num_round 50"),
        ("Evaluation on test data", "637 rows: rmse meets the limit."),
        ("Metrics of all rows", "rmse 2.297"),
    )


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_card_that_reports_nothing_has_no_facts(content: str) -> None:
    assert card_facts(content) == ()
