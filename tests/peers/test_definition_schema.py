"""Violations of a schema, for the closest of several alternatives."""

from typing import Any

from tests.peers.definition_schema import violations


def step(kind: str, **properties: Any) -> dict[str, Any]:
    return {"properties": {"Type": {"enum": [kind]}, **properties}, "additionalProperties": False}


SCHEMA = {
    "properties": {
        "Steps": {
            "items": {"anyOf": [step("Fail"), step("Training"), step("Processing", Name={"type": "string"})]}
        }
    },
    "additionalProperties": False,
}


def test_a_valid_definition_violates_nothing() -> None:
    assert violations({"Steps": [{"Type": "Processing", "Name": "clean"}]}, SCHEMA) == {}


def test_violations_are_named_by_their_keys() -> None:
    definition = {"Steps": [{"Type": "Processing", "Name": ["clean"]}], "Extra": 1}

    found = violations(definition, SCHEMA)

    assert found.keys() == {"Name", "Extra"}
    assert found["Name"] == "Steps.0.Name: ['clean'] is not of type 'string'"
    assert found["Extra"].startswith("the definition: Additional properties are not allowed ('Extra'")


def test_a_step_is_compared_with_the_schema_of_its_type() -> None:
    found = violations({"Steps": [{"Type": "Training", "Name": "fit"}]}, SCHEMA)

    assert found.keys() == {"Name"}, "and not Type, as of the other steps"
