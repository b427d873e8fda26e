"""Validates the pipelines of this repository with the JSON schema of definitions from AWS.

The schema is older than the service: DIFFERENCES lists what it lacks, with reasons. Another violation, or a
listed one that no longer exists, is an error.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from helpers.command_line import run_command
from helpers.environments import LOCAL
from ml_pipeline.definitions import pipeline_definition
from ml_pipeline.params import load_parameters
from ml_pipeline.pipelines import find_pipeline, pipeline_names
from tests.ml_pipeline.building import OUTPUTS
from tests.peers.checkouts import Source

SCHEMA = Source(
    "SCHEMA",
    "https://github.com/aws-sagemaker-mlops/sagemaker-model-building-pipeline-definition-JSON-schema",
    "b4012b0aa4474afdc6ef3d0409d17d0049dfcd85",
    ("schema",),
)
FILE = "schema/pipeline-definition.schema.json"
DIFFERENCES = {
    "PipelineExperimentConfig": "unknown to the schema, and in each definition that the SDK writes",
    "ExceptionType": "one string in the schema, a list in each definition that the SDK writes",
    "S3Uri": "a string in the schema; outputs of an execution go where a Std:Join has its ID",
    "S3OutputPath": "a string in the schema; predictions go where a Std:Join has what they are made of",
    "ModelDataUrl": "a string in the schema; the artifacts are those of a training step",
    "ContainerArguments": "strings in the schema; a step reads what a Std:Join has of the run before it",
    "ErrorMessage": "a string in the schema; the SDK takes any function, here a value of evaluation.json",
    "LeftValue": "no function of an S3 URI in the schema; the SDK writes Std:JsonGet with one",
    "Conditions": "only Or is made of conditions in the schema; the SDK writes Not",
    "Condition": "as Conditions: that of Not",
    "Type": "as Conditions: Not itself",
    **dict.fromkeys(
        ("CompressionType", "Environment"), "younger than the schema: CreateTrainingJob of the API has it"
    ),
    **dict.fromkeys(
        ("CustomerMetadataProperties", "DriftCheckBaselines", "ModelApprovalStatus", "ModelCard"),
        "younger than the schema: CreateModelPackage of the API has it",
    ),
}
"""Keys of our definitions that the schema does not contain, with reasons."""


def violations(definition: Any, schema: Any) -> Mapping[str, str]:
    """Return the violations of a definition by key, with details and position."""
    found = {}
    for error in Draft202012Validator(schema).iter_errors(definition):
        for cause in _causes(error):
            place = [str(key) for key in cause.absolute_path]
            named = [part for part in place if not part.isdecimal()]
            for key in _unknown_keys(cause) or named[-1:]:
                found[key] = f"{'.'.join(place) or 'the definition'}: {cause.message}"
    return found


def _unknown_keys(error: ValidationError) -> list[str]:
    """Return the keys of an object that its schema does not contain, if that is the violation."""
    instance, schema = error.instance, error.schema
    if (
        error.validator != "additionalProperties"
        or not isinstance(instance, dict)
        or not isinstance(schema, dict)
    ):
        return []
    return [key for key in instance if key not in schema["properties"]]


def _causes(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the causes of a violation; for alternatives, those of the closest one."""
    if not error.context:
        yield error
        return
    alternatives: dict[Any, list[ValidationError]] = {}
    for each in error.context:
        alternatives.setdefault(each.schema_path[0], []).append(each)
    nearest = min(
        alternatives.values(), key=lambda errors: (any("Type" in each.path for each in errors), len(errors))
    )
    for each in nearest:
        yield from _causes(each)


def compare(arguments: argparse.Namespace) -> int:
    """Validate the definition of each pipeline, print the violations, and return the exit code.

    Raises:
        UserError: the checkout does not have the commit.
    """
    with tempfile.TemporaryDirectory() as folder:
        SCHEMA.extract(arguments.schema, Path(folder))
        schema = json.loads((Path(folder) / FILE).read_text())
    found: dict[str, str] = {}
    for name in pipeline_names():
        definition = pipeline_definition(find_pipeline(name), load_parameters(LOCAL, OUTPUTS, name))
        found |= {key: f"{name}: {text}" for key, text in violations(json.loads(definition), schema).items()}
    for key in sorted(found.keys() & DIFFERENCES.keys()):
        print(f"{key}: {DIFFERENCES[key]}")
    wrong = [f"new: {found[key]}" for key in sorted(found.keys() - DIFFERENCES.keys())]
    wrong += [f"gone: {key} is listed in DIFFERENCES" for key in sorted(DIFFERENCES.keys() - found.keys())]
    if wrong:
        print("\nChange the definition or DIFFERENCES:", *wrong, sep="\n", file=sys.stderr)
    return int(bool(wrong))


def main() -> int:
    """Parse the command line and validate."""
    parser = argparse.ArgumentParser(prog="test-peers", description=__doc__.splitlines()[0])
    parser.add_argument("schema", type=Path, metavar="DIR", help=f"a checkout of {SCHEMA.remote}")
    return run_command(compare, parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
