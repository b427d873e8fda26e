"""Each pipeline of the repository, in each environment."""

import json

import pytest

from helpers.environments import names
from ml_pipeline.controls.checks import findings
from ml_pipeline.definitions import pipeline_definition
from ml_pipeline.params import load_parameters
from ml_pipeline.pipelines import find_pipeline, pipeline_names


@pytest.mark.parametrize("environment", names())
@pytest.mark.parametrize("name", pipeline_names())
def test_its_parameters_are_valid_and_its_definition_has_every_control(name, environment, outputs) -> None:
    pipeline = find_pipeline(name)
    parameters = load_parameters(environment, outputs, name, steps=pipeline.step_names)

    definition = json.loads(pipeline_definition(pipeline, parameters))

    assert [step["Name"] for step in definition["Steps"]] == [
        each.name for each in pipeline.steps(parameters)
    ]
    assert findings(definition) == []
