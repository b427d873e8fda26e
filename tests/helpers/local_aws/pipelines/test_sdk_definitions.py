"""Definitions of every step type as written by SDK 3.27.0, and one by SDK 2.257.7.

The SDK wrote each with the builder of its step: `ModelTrainer`, `ModelBuilder`, `Transformer`,
`HyperparameterTuner` and the classes of `sagemaker.mlops.workflow`, with `pipeline.definition()`.
"""

from pathlib import Path

import pytest

from helpers.local_aws.pipelines.definition import not_executed, parse_definition

FOLDER = Path(__file__).parent / "sdk_definitions"
MONITOR = "its image is closed, and SageMaker Model Monitor takes no new customers"
CLARIFY = "its image is closed, and SageMaker Clarify's monitoring takes no new customers"
NOT_EXECUTED = {
    "callback": [],
    "clarify_check": [f"ClarifyCheck (step 'clarify': {CLARIFY})"],
    "create_model": [],
    "emr": ["EMR (step 'emr': there is no EMR cluster)"],
    "endpoint": [],
    "endpoint_config": [],
    "lambda": ["Lambda (step 'deploy': there are no Lambda functions)"],
    "quality_check": [f"QualityCheck (step 'data-quality': {MONITOR})"],
    "register_model": [],
    "sdk_2_257_7": [
        "DebugHookConfig (step 'train')",
        "ProfilerConfig (step 'train')",
    ],
    "training_builtin": [],
    "training_script_mode": [],
    "transform": [],
    "tuning": [],
}


def test_every_definition_is_looked_at() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == NOT_EXECUTED.keys()


@pytest.mark.parametrize("name", NOT_EXECUTED)
def test_a_definition_is_accepted_and_executed_or_rejected_by_name(name: str) -> None:
    definition = parse_definition((FOLDER / f"{name}.json").read_text())

    assert not_executed(definition) == NOT_EXECUTED[name]
