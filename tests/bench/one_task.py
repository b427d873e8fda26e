"""Measures the CPU seconds of each part of a task, for docs/ingestion-speed.md.

python -m tests.bench.one_task
"""

import io
import os
import sys
import time
from collections.abc import Callable

from tests.bench import abalone
from tests.spark_submit import JOBS, packages

SPLIT = 128 * 1024**2
ROWS_OF_ODD_LINES = 100_000


def cpu_seconds(work: Callable[[], object], rounds: int = 3) -> float:
    """Return the minimum CPU time of a piece of work in this process."""
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def generated(rows: int) -> bytes:
    """Return CSV data with a number of rows."""
    stream = io.BytesIO()
    abalone.write(rows, stream)
    return stream.getvalue()


def measure() -> None:
    """Measure each part of a task on a split, and the cost of irregular lines."""
    import process_pyspark  # noqa: PLC0415 - jobs and Polars are on the path only now
    from etl.ingestion.checking import Block, check, convert  # noqa: PLC0415
    from etl.ingestion.records import is_regular  # noqa: PLC0415
    from etl.ingestion.task import output_columns  # noqa: PLC0415
    from etl.ingestion.text import BLOCK_BYTES  # noqa: PLC0415
    from etl.ingestion.writing import ENCODERS  # noqa: PLC0415

    table = process_pyspark.ABALONE
    rows_per_block = 740_000
    text = generated(rows_per_block)[:BLOCK_BYTES]
    text = text[: text.rfind(b"\n") + 1]
    rows = text.count(b"\n")
    share = SPLIT / len(text)
    block = Block(text, [0], ["a.csv"])
    (frame,) = check(table, block).valid
    kept = output_columns(table, frame)
    print(f"a split of 128 MiB, {rows * share / 1e6:.1f} million rows, in CPU seconds of one core:")
    print(f"  convert and check   {cpu_seconds(lambda: check(table, block)) * share:.2f}")
    print(f"  of these conversion {cpu_seconds(lambda: convert(table, text)) * share:.2f}")
    counts = cpu_seconds(lambda: is_regular(text, table.separator, len(table.fields), rows))
    print(f"  of these counts     {counts * share:.2f}")
    for kind, (encode, _) in ENCODERS.items():
        print(f"  write {kind:13} {cpu_seconds(lambda encode=encode: encode(kept)) * share:.2f}")  # type: ignore[misc]
    lines = generated(ROWS_OF_ODD_LINES).splitlines()
    odd = {
        "plain": b"\n".join(lines),
        "quoted": b"\n".join(b'"' + line.replace(b",", b'","') + b'"' for line in lines),
        "rejected": b"\n".join(b"X" + line[1:] for line in lines),
    }
    for name, content in odd.items():
        seconds = cpu_seconds(lambda content=content: check(table, Block(content + b"\n", [0], ["a.csv"])))  # type: ignore[misc]
        print(f"a {name} row: {seconds / ROWS_OF_ODD_LINES * 1e6:.1f} µs")


if __name__ == "__main__":
    os.environ["POLARS_MAX_THREADS"] = "1"
    sys.path[:0] = [str(JOBS), str(packages())]
    measure()
