"""Every pipeline of the repository in every environment."""

import json

import pytest

from helpers.environments import has_previews, names
from ml_pipeline.controls.checks import findings
from ml_pipeline.definitions import pipeline_definition
from ml_pipeline.executions.inputs import registered_inputs
from ml_pipeline.params import code_hashes, load_parameters
from ml_pipeline.params.files import merged, read_documents
from ml_pipeline.pipelines import find_pipeline, pipeline_names

ENVIRONMENTS = [*names(), *["pr-7"] * has_previews()]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("name", pipeline_names())
def test_its_parameters_are_those_of_its_files(name, environment, outputs) -> None:
    written = merged(read_documents(environment, name, None))

    params = load_parameters(environment, outputs, name, steps=find_pipeline(name).step_types)

    assert params.pipeline_name == written["pipeline_name"].replace("${Environment}", environment)
    assert params.tags["Environment"] == environment
    assert params.region == outputs["VolumeKeyArn"].split(":")[3]
    assert {step.name: {*step.files} for step in params.spark_steps.values()} == {
        step: {
            f"s3://artifact-bucket/code/{code_hash}/{uri.rsplit('/', 1)[-1]}"
            for uri in params.spark_steps[step].files
        }
        for step, code_hash in code_hashes(environment, name).items()
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("name", pipeline_names())
def test_its_definition_has_every_control_and_a_fingerprint_of_every_input_from_outside(
    name, environment, outputs
) -> None:
    pipeline = find_pipeline(name)
    parameters = load_parameters(environment, outputs, name)

    definition = json.loads(pipeline_definition(pipeline, parameters))

    steps = pipeline.steps(parameters)
    assert [step["Name"] for step in definition["Steps"]] == [each.name for each in steps]
    assert findings(definition) == []
    assert [(each.step, each.name, each.uri) for each in registered_inputs(definition)] == [
        (spark_step.name, name, given.uri)
        for spark_step in parameters.spark_steps.values()
        for name, given in spark_step.data_inputs.items()
    ]
