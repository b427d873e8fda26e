from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.local_aws.pipelines.step_cache import cache_key, parse_expiry
from helpers.local_aws.pipelines.step_requests import STEP_REQUESTS

MEMBERS = STEP_REQUESTS["Processing"].cache_members
ARGUMENTS = {
    "AppSpecification": {"ImageUri": "image", "ContainerArguments": ["--input_table", "s3://b/in"]},
    "Environment": {"INPUT_DATA_FINGERPRINT": "1"},
    "ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": "s3://b/code/1/job.py"}}],
    "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1}},
    "RoleArn": "role",
}


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({"AppSpecification": {"ImageUri": "another"}}, True),
        ({"Environment": {"INPUT_DATA_FINGERPRINT": "2"}}, True),
        ({"ProcessingInputs": []}, True),
        ({"ProcessingResources": {"ClusterConfig": {"InstanceCount": 6}}}, False),
        ({"RoleArn": "another"}, False),
        ({"NetworkConfig": {"EnableNetworkIsolation": True}}, False),
        ({"ProcessingJobName": "another"}, False),
    ],
)
def test_only_the_documented_arguments_are_in_the_key(changed: dict[str, object], counts: bool) -> None:
    same = cache_key("step", ARGUMENTS, MEMBERS) == cache_key("step", ARGUMENTS | changed, MEMBERS)

    assert same is not counts


def test_two_steps_never_share_a_key() -> None:
    assert cache_key("one", ARGUMENTS, MEMBERS) != cache_key("two", ARGUMENTS, MEMBERS)


def test_script_mode_is_never_in_the_cache() -> None:
    """SDK 3 uploads the drivers at each build to a URI with the time, and channels are part of the key."""
    first, second = (
        {
            "InputDataConfig": [
                {
                    "ChannelName": "sm_drivers",
                    "DataSource": {
                        "S3DataSource": {"S3Uri": f"s3://b/train/train-{moment}/input/sm_drivers"}
                    },
                }
            ]
        }
        for moment in ("20261127223259", "20261127223304")
    )
    members = STEP_REQUESTS["Training"].cache_members
    assert cache_key("train", first, members) != cache_key("train", second, members)


@pytest.mark.parametrize(
    ("member", "value", "counts"),
    [
        ("StaticHyperParameters", {"num_round": "2"}, True),
        ("InputDataConfig", [], True),
        ("ResourceConfig", {"InstanceCount": 2}, False),
        ("OutputDataConfig", {"S3OutputPath": "s3://b/other"}, False),
    ],
)
def test_of_a_tuner_the_documented_members_are_in_the_key(member: str, value: object, counts: bool) -> None:
    members = STEP_REQUESTS["Tuning"].cache_members
    definition = {"StaticHyperParameters": {"num_round": "1"}, "InputDataConfig": [{"ChannelName": "train"}]}
    given = {"HyperParameterTuningJobConfig": {"Strategy": "Grid"}, "TrainingJobDefinition": definition}
    changed = given | {"TrainingJobDefinition": definition | {member: value}}

    assert (cache_key("s", given, members) == cache_key("s", changed, members)) is not counts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P30D", timedelta(days=30)),
        ("p30d", timedelta(days=30)),
        ("30d", timedelta(days=30)),
        ("PT1H", timedelta(hours=1)),
        ("T16m", timedelta(minutes=16)),
        ("5y", timedelta(days=5 * 365)),
        ("P1M", timedelta(days=30)),
        ("P1W2DT3H4M5S", timedelta(days=9, hours=3, minutes=4, seconds=5)),
    ],
)
def test_durations_as_the_developer_guide_writes_them(text: str, expected: timedelta) -> None:
    assert parse_expiry(text) == expected


@given(days=st.integers(0, 9999), hours=st.integers(0, 99), minutes=st.integers(0, 99))
def test_any_iso_duration_is_read(days: int, hours: int, minutes: int) -> None:
    expected = timedelta(days=days, hours=hours, minutes=minutes)

    assert parse_expiry(f"P{days}DT{hours}H{minutes}M") == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "30", "30 days", "-P1D", "None"])
def test_an_invalid_duration_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ISO 8601 duration"):
        parse_expiry(text)
