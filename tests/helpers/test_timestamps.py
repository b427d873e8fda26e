"""Times are those of botocore, in all formats of AWS."""

import pytest
from botocore.utils import parse_timestamp

from helpers.timestamps import read_time


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-29T12:47:29.123Z",
        "2026-11-29T12:47:29+02:00",
        "20261129T124729Z",
        "Sun, 29 Nov 2026 12:47:29 GMT",
        "Tue, 01 Dec 2026 12:47:29 GMT",
        "1795956561",
        1795956561.5,
        "2026-11-29",
        "20261129",
    ],
)
def test_a_time_is_that_of_botocore(value: str | float) -> None:
    assert read_time(value) == parse_timestamp(value)
