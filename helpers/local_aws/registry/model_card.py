"""The schema for the content of a model card in a model package.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema

It is the schema of model cards without `model_package_details`, and with two members of `model_overview`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

_Text63 = Annotated[str, Field(max_length=63)] | None
_Text256 = Annotated[str, Field(max_length=256)] | None
_Text1024 = Annotated[str, Field(max_length=1024)] | None
_Text2048 = Annotated[str, Field(max_length=2048)] | None
_Uris = Annotated[list[Annotated[str, Field(max_length=1024)]], Field(max_length=15)] | None
_Name = Annotated[str, Field(min_length=1, max_length=255)]
_GroupName = Annotated[str, Field(min_length=1, max_length=63)]
_Texts = dict[str, Annotated[str, Field(max_length=1024)]] | None


class _Part(BaseModel):
    # Deferred: most servers never see a model card.
    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=(), defer_build=True)


class _Overview(_Part):
    model_creator: _Text1024 = None
    model_artifact: _Uris = None


class _IntendedUses(_Part):
    purpose_of_model: _Text2048 = None
    intended_uses: _Text2048 = None
    factors_affecting_model_efficiency: _Text2048 = None
    risk_rating: Literal["High", "Medium", "Low", "Unknown"] | None = None
    explanations_for_risk_rating: _Text2048 = None


class _BusinessDetails(_Part):
    business_problem: _Text2048 = None
    business_stakeholders: _Text2048 = None
    line_of_business: _Text2048 = None


class _Function(_Part):
    function: Literal["Maximize", "Minimize"] | None = None
    facet: _Text63 = None
    condition: _Text63 = None


class _ObjectiveFunction(_Part):
    function: _Function | None = None
    notes: _Text1024 = None


class _TrainingMetric(_Part):
    name: _Name
    notes: _Text1024 = None
    value: FiniteFloat


class _HyperParameter(_Part):
    name: _Name
    value: Annotated[str, Field(max_length=255)]


class _TrainingEnvironment(_Part):
    container_image: _Uris = None


class _TrainingJob(_Part):
    training_arn: _Text1024 = None
    training_datasets: _Uris = None
    training_environment: _TrainingEnvironment | None = None
    training_metrics: Annotated[list[_TrainingMetric], Field(max_length=50)] | None = None
    user_provided_training_metrics: Annotated[list[_TrainingMetric], Field(max_length=50)] | None = None
    hyper_parameters: Annotated[list[_HyperParameter], Field(max_length=100)] | None = None
    user_provided_hyper_parameters: Annotated[list[_HyperParameter], Field(max_length=100)] | None = None


class _TrainingDetails(_Part):
    objective_function: _ObjectiveFunction | None = None
    training_observations: _Text1024 = None
    training_job_details: _TrainingJob | None = None


class _Metric(_Part):
    name: _Name
    notes: _Text1024 = None
    type: Literal["number", "string", "boolean", "bar_chart", "linear_graph", "matrix"]
    value: FiniteFloat | str | bool | list[Any]
    x_axis_name: str | list[str] | None = None
    y_axis_name: str | list[str] | None = None


class _MetricGroup(_Part):
    name: _GroupName
    metric_data: list[_Metric]


class _Evaluation(_Part):
    name: _GroupName
    evaluation_observation: Annotated[str, Field(max_length=2096)] | None = None
    evaluation_job_arn: _Text256 = None
    datasets: Annotated[list[Annotated[str, Field(max_length=1024)]], Field(max_length=10)] | None = None
    metadata: _Texts = None
    metric_groups: list[_MetricGroup] = []


class _AdditionalInformation(_Part):
    ethical_considerations: _Text2048 = None
    caveats_and_recommendations: _Text2048 = None
    custom_details: _Texts = None


class _Content(_Part):
    model_overview: _Overview | None = None
    intended_uses: _IntendedUses | None = None
    business_details: _BusinessDetails | None = None
    training_details: _TrainingDetails | None = None
    evaluation_details: list[_Evaluation] = []
    additional_information: _AdditionalInformation | None = None


def card_problems(card: Mapping[str, Any]) -> Iterator[str]:
    """Yield the problems of a ModelCard, whose content is JSON."""
    text = card.get("ModelCardContent") or "{}"
    if not isinstance(text, str):  # in a pipeline definition: known only during an execution
        return
    try:
        json.loads(text)
    except ValueError as error:
        yield f"ModelCardContent is not valid JSON: {error}"
        return
    try:
        _Content.model_validate_json(text)
    except ValidationError as error:
        for each in error.errors():
            place = ".".join(map(str, each["loc"])) or "ModelCardContent"
            yield f"ModelCardContent does not follow the schema of model cards: {place}: {each['msg']}"
