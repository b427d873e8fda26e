"""Builds Condition and Fail steps.

Importing this imports the SDK, which takes seconds.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ml_pipeline.params.condition_steps import ConditionStepParams, FailStepParams
from ml_pipeline.steps import sagemaker_sdk as sdk
from ml_pipeline.steps.results import s3_location_of
from ml_pipeline.steps.step import BuildContext

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams
    from ml_pipeline.params.condition_steps import JsonComparison
    from ml_pipeline.params.step_values import JsonValue


def build_condition_step(name: str, branch: Sequence[Any], context: BuildContext) -> sdk.ConditionStep:
    """Return the SDK's step, whose branch is executed if all conditions are true."""
    params = context.params
    section = params.section(name, ConditionStepParams)
    conditions = [_condition(each, context) for each in section.values]
    return sdk.ConditionStep(name, conditions=conditions, if_steps=list(branch))


def build_fail_step(name: str, context: BuildContext) -> sdk.FailStep:
    """Return the step of the SDK."""
    section = context.params.section(name, FailStepParams)
    return sdk.FailStep(name, error_message=_json_value(section.message, context.params))


def _condition(comparison: "JsonComparison", context: BuildContext) -> Any:
    value = _json_value(comparison.json_value, context.params)
    if comparison.differs_from is None:
        return sdk.ConditionEquals(left=value, right=comparison.equals)
    other = context.parameters[comparison.differs_from.parameter]
    return sdk.ConditionNot(sdk.ConditionEquals(left=value, right=other))


def _json_value(value: "JsonValue", params: "PipelineParams") -> sdk.JsonGet:
    # A property file needs an output that SageMaker uploads; Spark writes to S3 itself.
    return sdk.JsonGet(step_name=value.step, s3_uri=s3_location_of(params, value), json_path=value.path)
