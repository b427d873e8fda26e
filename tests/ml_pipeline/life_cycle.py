"""Two pipelines with steps of every type: one trains and registers a model, one uses it for scoring."""

from pathlib import Path
from typing import Any, cast

from ml_pipeline.pipelines import Pipeline, PipelineModule
from tests.ml_pipeline.small_project import module

Document = dict[str, Any]

TRAIN, SCORE = "fare-model", "fare-scores"
ROLE, MODEL_ROLE = "${TrainingJobRoleArn}", "${TransformJobRoleArn}"
SMALL: Document = {"instance_type": "ml.m5.large", "instance_count": 1}
EVALUATION = {"step": "evaluate", "output": "evaluation", "file": "evaluation/evaluation.json"}
CHAMPION, PACKAGE = {"parameter": "ChampionModelDataUrl"}, {"parameter": "ModelPackageArn"}
HELPERS = [f"helper_{number}.py" for number in range(6)]
"""More URIs than SageMaker accepts in one argument of a command line."""
TRAINING: Document = {
    "pipeline_name": "FareModel-${Environment}",
    "trial": "fares",
    "steps": {
        "prepare": {
            **SMALL,
            "code": "prepare.py",
            "helper_files": [],
            "inputs": {"rides": {"uri": "s3a://${DataBucketName}/rides", "sample": "rides"}},
            "outputs": {"prepared": "s3a://${DataBucketName}/model/prepared"},
        },
        "train": {
            "type": "Training",
            "algorithm": "xgboost",
            "version": "3.2-0",
            "role": ROLE,
            "channels": {
                "train": {"step": "prepare", "output": "prepared", "dataset": "train"},
                "validation": {"step": "prepare", "output": "prepared", "dataset": "validation"},
            },
            "hyperparameters": {"num_round": 50, "eta": 0.2, "objective": "reg:squarederror"},
            "output": "s3://${ArtifactBucketName}/models",
            "output_kms": "${ArtifactKeyArn}",
            "instance_type": "ml.m5.large",
        },
        "model": {"type": "Model", "training_step": "train", "role": MODEL_ROLE},
        "score-test": {
            "type": "Transform",
            "model_step": "model",
            "input": {"step": "prepare", "output": "prepared", "dataset": "test"},
            "output": "s3://${DataBucketName}/model/predictions",
            "join_input": True,
            "input_filter": "$[1:]",
            "instance_type": "ml.m5.large",
        },
        "evaluate": {
            **SMALL,
            "code": "evaluate.py",
            "helper_files": HELPERS,
            "runs_kept_days": 3650,
            "inputs": {"predictions": {"step": "score-test"}, "candidate": {"step": "train"}},
            "outputs": {"evaluation": "s3a://${DataBucketName}/model/evaluation"},
            "arguments": {"champion": CHAMPION},
        },
        "good-enough": {
            "type": "Condition",
            "values": [
                {"json_value": {**EVALUATION, "path": "decision"}, "equals": "register"},
                {
                    "json_value": {**EVALUATION, "path": "model_digest"},
                    "differs_from": {"parameter": "RegisteredModelDigest"},
                },
            ],
        },
        "register": {
            "type": "RegisterModel",
            "training_step": "train",
            "model_package_group": "${ModelPackageGroupName}",
            "description": "Predicts fares.",
            "evaluation": EVALUATION,
            "statistics": {"step": "prepare", "output": "prepared", "file": "baseline/statistics.json"},
            "constraints": {"step": "prepare", "output": "prepared", "file": "baseline/constraints.json"},
            "card": {
                "evaluation": {
                    "step": "evaluate",
                    "output": "evaluation",
                    "file": "evaluation/model_card.json",
                },
                "purpose_of_model": 'Predicts "fares" of rides.',
                "intended_uses": "Estimates before a ride.",
                "risk_rating": "Low",
            },
            "transform_instance_types": ["ml.m5.large"],
        },
        "not-good-enough": {
            "type": "Condition",
            "values": [{"json_value": {**EVALUATION, "path": "decision"}, "equals": "reject"}],
        },
        "reject": {"type": "Fail", "message": {**EVALUATION, "path": "reason"}},
    },
}
SCORING: Document = {
    "pipeline_name": "FareScores-${Environment}",
    "trial": "fares",
    "steps": {
        "prepare": {
            **SMALL,
            "code": "prepare.py",
            "helper_files": [],
            "inputs": {"rides": {"uri": "s3a://${DataBucketName}/rides", "sample": "rides"}},
            "outputs": {"prepared": "s3a://${DataBucketName}/scores/prepared"},
        },
        "model": {"type": "Model", "model_package": PACKAGE, "role": MODEL_ROLE},
        "score": {
            "type": "Transform",
            "model_step": "model",
            "input": {"step": "prepare", "output": "prepared", "dataset": "features"},
            "output": "s3://${DataBucketName}/scores/predictions",
            "instance_type": "ml.m5.large",
        },
        "publish": {
            **SMALL,
            "code": "publish.py",
            "helper_files": [],
            "inputs": {"predictions": {"step": "score"}},
            "outputs": {"published": "s3a://${DataBucketName}/scores/published"},
            "arguments": {"model_package": PACKAGE},
        },
    },
}
TRAIN_MODULE = """
from ml_pipeline.steps import (
    ConditionStep, FailStep, ModelStep, RegisterModelStep, SparkStep, TrainingStep, TransformStep
)
DESCRIPTION = "Trains a model of fares."
def steps(_):
    return [
        SparkStep("prepare"),
        TrainingStep("train"),
        ModelStep("model"),
        TransformStep("score-test"),
        SparkStep("evaluate"),
        ConditionStep("good-enough", [RegisterModelStep("register")]),
        ConditionStep("not-good-enough", [FailStep("reject")]),
    ]
"""
SCORE_MODULE = """
from ml_pipeline.steps import ModelStep, SparkStep, TransformStep
DESCRIPTION = "Scores rides."
def steps(_):
    return [SparkStep("prepare"), ModelStep("model"), TransformStep("score"), SparkStep("publish")]
"""
_OPTIONS = {
    "prepare.py": ("--rides", "--prepared"),
    "evaluate.py": ("--predictions", "--candidate", "--evaluation", "--champion"),
    "publish.py": ("--predictions", "--published", "--model_package"),
}


def write_jobs(folder: Path) -> Path:
    """Write the files of the Spark steps into a folder, and return it."""
    folder.mkdir(exist_ok=True)
    for name, options in _OPTIONS.items():
        (folder / name).write_text(f"OPTIONS = {options}\n")
    for name in HELPERS:
        (folder / name).write_text("# helper\n")
    (folder / "configuration.json").write_text("[]\n")
    return folder


PIPELINES = {
    TRAIN: Pipeline(TRAIN, cast("PipelineModule", module(TRAIN, TRAIN_MODULE))),
    SCORE: Pipeline(SCORE, cast("PipelineModule", module(SCORE, SCORE_MODULE))),
}
DOCUMENTS = {TRAIN: TRAINING, SCORE: SCORING}
