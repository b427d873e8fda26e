"""Runs the same conversion with a single-machine engine, as an upper bound for these cores.

.venv/bench/bin/python tests/bench/one_machine.py duckdb|polars INPUT OUTPUT THREADS
"""

import os
import sys
from pathlib import Path

MEASURES = (
    "length",
    "diameter",
    "height",
    "whole_weight",
    "shucked_weight",
    "viscera_weight",
    "shell_weight",
)
KEPT = ["sex", "length", "diameter", "rings"]


def with_duckdb(source: str, target: Path, threads: int) -> None:
    """One scan into a table, from which both outputs are written: the CSV reader checks what it converts."""
    import duckdb  # noqa: PLC0415 - load only the engine that is measured

    columns = {"sex": "VARCHAR", **dict.fromkeys(MEASURES, "DOUBLE"), "rings": "INTEGER"}
    with duckdb.connect(config={"threads": threads}) as connection:
        connection.execute(
            f"CREATE TEMP TABLE kept AS SELECT {', '.join(KEPT)} "
            f"FROM read_csv('{source}', header = false, auto_detect = false, columns = {columns})"
        )
        connection.execute(f"COPY kept TO '{target / 'kept.parquet'}' (FORMAT parquet)")
        connection.execute(f"COPY kept TO '{target / 'kept.csv'}' (HEADER true)")


def with_polars(source: str, target: Path, threads: int) -> None:
    """One scan into memory, from which both outputs are written."""
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars  # noqa: PLC0415 - reads the variable when it is imported

    schema = {"sex": polars.String, **dict.fromkeys(MEASURES, polars.Float64), "rings": polars.Int32}
    kept = polars.scan_csv(source, has_header=False, schema=schema).select(KEPT).collect()
    kept.write_parquet(target / "kept.parquet")
    kept.write_csv(target / "kept.csv")


if __name__ == "__main__":
    engine, source, folder, threads = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    {"duckdb": with_duckdb, "polars": with_polars}[engine](source, Path(folder), int(threads))
