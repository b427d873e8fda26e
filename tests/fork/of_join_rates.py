"""The job of the step join-rates on small inputs."""

import datetime
import json

import join_rates


def test_fares_are_converted_and_added_up_by_day(spark, tmp_path) -> None:
    (tmp_path / "trips").mkdir()
    lines = ("trip,day,currency,fare", "a,2026-01-01,EUR,10", "b,2026-01-01,USD,20", "c,2026-01-02,EUR,5")
    (tmp_path / "trips" / "a.csv").write_text("\n".join([*lines, "d,2026-01-02,EUR,1", ""]))
    rates = [("2026-01-01", "EUR", 1.0), ("2026-01-01", "USD", 0.5), ("2026-01-02", "EUR", 2.0)]
    frame = spark.createDataFrame(rates, "day string, currency string, rate double")
    frame.write.partitionBy("day").parquet(str(tmp_path / "rates"))
    folders = {name: str(tmp_path / name) for name in ("trips", "rates", "by_day")}

    join_rates.main(
        [word for name, at in folders.items() for word in (f"--{name}", at)] + ["--least_fare", "2"]
    )

    report = json.loads((tmp_path / "by_day" / "report.json").read_text())
    written = spark.read.parquet(report["outputs"]["parquet"]["folder"])
    assert sorted(tuple(row) for row in written.collect()) == [
        (datetime.date(2026, 1, 1), 2, 20.0),
        (datetime.date(2026, 1, 2), 1, 10.0),
    ]
    assert report["rows_in"] == 4
    assert report["checks"] == [{"name": "trips with a rate", "expected": 3, "actual": 3}]
