"""The channels and content types in the image of the built-in XGBoost."""

from typing import Any

import pytest

from helpers.local_aws.xgboost_container.channels import content_format, data_format
from helpers.local_aws.xgboost_container.errors import UserError

CSV = {"ContentType": "text/csv"}


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ({"train": CSV}, "csv"),
        ({"train": {}}, "libsvm"),
        ({"train": {"ContentType": "application/x-parquet"}, "validation": CSV}, "parquet"),
    ],
)
def test_the_channel_train_gives_the_format(channels: dict[str, Any], expected: str) -> None:
    assert data_format(channels) == expected


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ({"validation": CSV}, "Missing required channel: train"),
        ({"train": CSV, "test": CSV}, "Extraneous channel found: test"),
        (
            {"train": {"ContentType": "application/json"}},
            "configuration for 'train' channel is not supported",
        ),
    ],
)
def test_what_the_image_rejects(channels: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        data_format(channels)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/csv", "csv"),
        ("Text/CSV; charset=utf-8", "csv"),
        ("text/csv; label_size=1", "csv"),
        (None, "libsvm"),
    ],
)
def test_requests_may_have_parameters(content_type: str | None, expected: str) -> None:
    assert content_format(content_type) == expected


@pytest.mark.parametrize("content_type", ["application/json", "text/csv; label_size=2"])
def test_requests_of_other_types_are_rejected(content_type: str) -> None:
    with pytest.raises(UserError, match="is not an accepted"):
        content_format(content_type)
