"""The table that compares sizes is on the page, and its statements about `make size` are true."""

import pytest

from helpers.spark.instances import instance
from tests.helpers.spark.sizing.comparison import COMMAND, EXAMPLE, PAGE, Request, rows, with_table

M5_4XLARGE = instance("ml.m5.4xlarge")


def test_the_page_has_the_table_as_it_is_now() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert with_table(page) == page, f"run: {COMMAND}"


def test_what_size_writes_fits_everywhere() -> None:
    assert {row.fits for row in rows() if row.configuration == "`make size`"} == {True}


@pytest.mark.parametrize(
    ("properties", "is_rejected"),
    [
        ({}, False),
        ({"spark.executor.instances": "0"}, True),
        ({"spark.executor.memory": "60416m"}, False),
        ({"spark.executor.memory": "60417m"}, True),
        ({"spark.executor.cores": "16"}, False),
        ({"spark.executor.cores": "17"}, True),
    ],
)
def test_an_executor_larger_than_a_node_is_rejected(properties, is_rejected) -> None:
    assert Request.of(EXAMPLE | properties, M5_4XLARGE).is_rejected is is_rejected


def test_the_primary_promises_executors_application_master_and_driver() -> None:
    """The image's standard sizes: 61,636 for an executor and 58,982 for the driver, of 65,536 MiB."""
    (row,) = (
        row
        for row in rows()
        if (row.instance, row.count, row.configuration) == (M5_4XLARGE, 6, "image, standard")
    )

    assert row.primary_share == pytest.approx((61_636 + 896 + 58_982) / 65_536)
    assert row.granted == (6, 5)
    assert not row.fits
