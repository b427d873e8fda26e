"""Read exports of orders, and write them as Parquet with the price of each order and its days in transit."""

from __future__ import annotations

import polars as pl
from etl.ingestion.fields import Date, Decimal, Double, Integer, String, Timestamp
from etl.ingestion.job import main
from etl.ingestion.table import Table


def with_totals(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with two additional columns."""
    total = (pl.col("price") * pl.col("quantity")).cast(pl.Decimal(18, 2))
    days = (pl.col("delivered") - pl.col("ordered").dt.date()).dt.total_days()
    return rows.with_columns(total.alias("total"), days.alias("days"))


ORDERS = Table(
    fields=(
        Integer("order", minimum=1, bits=64),
        Timestamp("ordered", format="%Y-%m-%dT%H:%M:%S%z"),
        Date("delivered", required=False),
        String("status", choices=("open", "shipped", "returned")),
        String("customer"),
        String("address"),
        String("comment", required=False),
        String("currency", choices=("EUR", "USD")),
        Decimal("price", precision=12, scale=2, minimum=0),
        Decimal("discount", precision=5, scale=4, minimum=0, maximum=1, required=False),
        Integer("quantity", minimum=1, maximum=10_000),
        Double("weight_kg", minimum=0, required=False),
    ),
    rules={"delivered before it was ordered": pl.col("delivered") >= pl.col("ordered").dt.date()},
    transform=with_totals,
    multiline=True,
)

if __name__ == "__main__":
    main(ORDERS, "orders")
