"""The model card of a version: intended uses, how it was trained, and its evaluation.

Its schema is that of https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema.
Importing this imports the SDK, which takes seconds.
"""

import json
import re
from typing import Any

from helpers.project_settings import project_settings
from ml_pipeline.params.execution_parameters import COMMIT
from ml_pipeline.params.model_steps import ModelCardParams
from ml_pipeline.params.training_step import TrainingStepParams
from ml_pipeline.steps import sagemaker_sdk as sdk
from ml_pipeline.steps.results import artifacts_of, s3_location_of
from ml_pipeline.steps.step import BuildContext
from ml_pipeline.steps.training_builder import image_of

STATUS = "PendingReview"
EVALUATION_DETAILS = "evaluation_details"
"""The member of the file of `evaluate` that holds this part of the card, as JSON in a string."""
_VARIABLE = re.compile(r'"\\u0000(\d+)\\u0000"|\\u0000(\d+)')


def model_card(card: ModelCardParams, training_step: str, context: BuildContext) -> dict[str, Any]:
    """Return the card of a version.

    Its content is text: JSON, joined with values that are known only during an execution.
    """
    params = context.params
    section = params.section(training_step, TrainingStepParams)
    job = sdk.Properties(training_step, shape_name="DescribeTrainingJobResponse")
    evaluation = sdk.JsonGet(
        step_name=card.evaluation.step,
        s3_uri=s3_location_of(params, card.evaluation),
        json_path=EVALUATION_DETAILS,
    )
    variables: list[Any] = []

    def text(variable: Any) -> str:
        variables.append(variable)
        return f"\0{len(variables) - 1}"

    content = {
        "model_overview": {
            "model_creator": project_settings().owner,
            "model_artifact": [text(artifacts_of(training_step))],
        },
        "intended_uses": _given(
            card, "purpose_of_model", "intended_uses", "factors_affecting_model_efficiency"
        )
        | _given(card, "risk_rating", "explanations_for_risk_rating"),
        "training_details": {
            "training_job_details": {
                "training_arn": text(job.TrainingJobArn),
                "training_datasets": [
                    text(s3_location_of(params, channel, is_folder=True))
                    for channel in section.channels.values()
                ],
                "training_environment": {"container_image": [image_of(section, params.region)]},
                "hyper_parameters": [
                    {"name": name, "value": str(value)} for name, value in section.hyperparameters.items()
                ],
            }
        },
        "evaluation_details": f"{text(evaluation)}\0",
        "additional_information": {
            **_given(card, "ethical_considerations", "caveats_and_recommendations"),
            "custom_details": {"commit": text(context.parameters[COMMIT])},
        },
    }
    return {"ModelCardStatus": STATUS, "ModelCardContent": _joined(json.dumps(content), variables)}


def _given(card: ModelCardParams, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(card, name)) is not None}


def _joined(text: str, variables: list[Any]) -> sdk.Join:
    """Return JSON with marks replaced by variables, without quotes if the variable is JSON itself."""
    parts: list[Any] = []
    end = 0
    for mark in _VARIABLE.finditer(text):
        parts += [text[end : mark.start()], variables[int(mark[1] or mark[2])]]
        end = mark.end()
    return sdk.Join(on="", values=[*parts, text[end:]])
