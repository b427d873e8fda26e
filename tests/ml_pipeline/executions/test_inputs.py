"""The inputs of a registered pipeline, and their fingerprints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import UserError
from helpers.s3 import parse
from ml_pipeline.executions.inputs import (
    InputObject,
    RegisteredInput,
    fingerprint,
    fingerprints,
    list_input,
    registered_inputs,
)
from ml_pipeline.executions.target import Target
from tests.ml_pipeline.small_project import DATA

listings = st.lists(
    st.builds(InputObject, st.text(max_size=4), st.integers(0, 99), st.text(max_size=4)), max_size=5
)


@given(listings.flatmap(lambda objects: st.tuples(st.just(objects), st.permutations(objects))))
def test_the_order_of_the_listing_does_not_matter(pair: tuple[list[InputObject], list[InputObject]]) -> None:
    assert fingerprint(pair[0]) == fingerprint(pair[1])


@given(listings, listings)
def test_every_field_of_every_object_matters(one: list[InputObject], other: list[InputObject]) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (sorted(one) == sorted(other))


@pytest.mark.parametrize("change", [{"key": "other"}, {"size": 2}, {"etag": "other"}])
def test_a_change_of_one_field_changes_the_fingerprint(change: dict[str, object]) -> None:
    found = InputObject("key", 1, "etag")

    assert fingerprint([found]) != fingerprint([found._replace(**change)])  # type: ignore[arg-type]  # by name


@pytest.fixture
def location(stack: boto3.Session, tmp_path: Path) -> str:
    """A location that only this test uses."""
    return f"s3a://{DATA}-local/{tmp_path.name}/in.csv"


def test_a_file_and_a_folder_are_read_as_spark_reads_them(stack: boto3.Session, location: str) -> None:
    s3, (bucket, key) = stack.client("s3"), parse(location)
    for name in (key, f"{key}2", f"{key}/part-1", f"{key}/part-2", f"{key}/"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"x")

    assert [found.key for found in list_input(s3, location)] == [key, f"{key}/part-1", f"{key}/part-2"]
    assert [found.key for found in list_input(s3, f"{location}/")] == [f"{key}/part-1", f"{key}/part-2"]


def definition(**inputs: Any) -> dict[str, Any]:
    """Return a definition with a step `clean` and its inputs, each with a fingerprint."""
    return {
        "Parameters": [{"Name": f"Fingerprint-clean-{name}"} for name in inputs] + [{"Name": "ForceRun"}],
        "Steps": [
            {
                "Name": "clean",
                "Arguments": {
                    "AppSpecification": {
                        "ContainerArguments": [
                            word for name, value in inputs.items() for word in (f"--{name}", value)
                        ]
                    },
                    "Environment": {f"INPUT_FINGERPRINT_{name.upper()}": {} for name in inputs},
                },
            },
            {"Name": "fail", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}},
        ],
    }


def test_the_inputs_with_a_fingerprint_are_found_in_a_definition() -> None:
    found = definition(rides="s3://data/rides", rates="s3a://data/rates.csv")
    clean = found["Steps"][0]["Arguments"]
    clean["AppSpecification"]["ContainerArguments"] += [
        *("--joined", "s3://data/out"),
        *("--of", {"Get": "Steps.other.ProcessingJobName"}),
        "--flag",
    ]

    assert list(registered_inputs(found)) == [
        RegisteredInput("clean", "rides", "s3://data/rides", "Fingerprint-clean-rides"),
        RegisteredInput("clean", "rates", "s3a://data/rates.csv", "Fingerprint-clean-rates"),
    ]
    del clean["Environment"]["INPUT_FINGERPRINT_RATES"]
    assert [each.name for each in registered_inputs(found)] == ["rides"]


def test_each_input_has_a_fingerprint_of_its_own(
    stack: boto3.Session, location: str, target_of: Callable[..., Target]
) -> None:
    s3, (bucket, key) = stack.client("s3"), parse(location)
    found = definition(rides=location, rates=f"{location}-rates")
    for name in (key, f"{key}-rates"):
        s3.put_object(Bucket=bucket, Key=name, Body=name.encode())
    before = fingerprints(s3, found, target_of("local"))

    s3.put_object(Bucket=bucket, Key=f"{key}-rates", Body=b"changed")
    after = fingerprints(s3, found, target_of("local"))

    assert before.keys() == after.keys() == {"Fingerprint-clean-rides", "Fingerprint-clean-rates"}
    assert {name for name in before if before[name] != after[name]} == {"Fingerprint-clean-rates"}


def test_every_missing_input_is_named_with_what_to_do(
    stack: boto3.Session, location: str, target_of: Callable[..., Target]
) -> None:
    s3, found = stack.client("s3"), definition(rides=location, rates=f"{location}-rates")

    with pytest.raises(UserError) as rejected:
        fingerprints(s3, found, target_of("trial"))

    assert str(rejected.value) == (
        f"There is no input rides of step clean at {location}\n"
        f"There is no input rates of step clean at {location}-rates\n"
        "Hint: Deliver it, or upload the sample with: make data ENV=trial"
    )
    with pytest.raises(
        UserError, match=r"Hint: Deliver the input \(live gets no sample\), then run: make start"
    ):
        fingerprints(s3, found, target_of("live"))
