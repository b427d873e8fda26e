"""Generates Abalone data of any size: rows of the sample, drawn per sex, with a little noise on each measure.

    python -m tests.bench.abalone --rows 10000000 data.csv

The same seed results in the same bytes. Measures have the sample's resolution (0.005 for lengths, 0.0005 for
weights), so that text and dictionaries have the sample's size. Rows are generated and written in chunks, so
the memory does not depend on their number.
"""

import argparse
import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
from pyarrow.csv import CSVWriter, WriteOptions

from tests.bench.one_machine import MEASURES

SAMPLE = Path(__file__).parents[2] / "spark_jobs" / "sample_data" / "abalone.csv"
STEPS = (200, 200, 200, 2000, 2000, 2000, 2000, 1)
"""Resolution of each measure and of the rings, in steps per unit."""
NAMES = ["sex", *MEASURES, "rings"]
NOISE = 0.1
"""Standard deviation of the noise, in standard deviations of the measure within its sex."""
CHUNK = 500_000


def chunks(rows: int, seed: int = 1, chunk: int = CHUNK) -> Iterator[pa.Table]:
    """Yield tables with this number of rows in total."""
    random = np.random.default_rng(seed)
    with SAMPLE.open(newline="") as file:
        lines = list(csv.reader(file))
    sexes = np.array([line[0] for line in lines])
    steps = np.array(STEPS)
    counts = np.rint(np.array([line[1:] for line in lines], dtype=float) * steps).astype(np.int64)
    spread = np.empty_like(counts, dtype=float)
    for sex in np.unique(sexes):
        spread[sexes == sex] = counts[sexes == sex].std(axis=0) * NOISE
    for begin in range(0, rows, chunk):
        drawn = random.integers(0, len(lines), min(chunk, rows - begin))
        noise = np.rint(random.standard_normal((len(drawn), len(STEPS))) * spread[drawn]).astype(np.int64)
        values = np.maximum(counts[drawn] + noise, 1)
        columns = [pa.array(sexes[drawn])]
        columns += [pa.array(values[:, i] / STEPS[i]) for i in range(len(STEPS) - 1)]
        yield pa.table([*columns, pa.array(values[:, -1])], names=NAMES)


def write(rows: int, target: IO[bytes] | Path, seed: int = 1, header: bool = False) -> None:
    """Write a CSV file."""
    tables = chunks(rows, seed)
    first = next(tables)
    options = WriteOptions(include_header=header, quoting_style="none")
    with CSVWriter(target, first.schema, write_options=options) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def main() -> None:
    """Write the file of the command line, compressed if its name ends in .gz."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--header", action="store_true")
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    if options.file.suffix == ".gz":
        with gzip.open(options.file, "wb", compresslevel=6) as file:
            write(options.rows, file, options.seed, options.header)
    else:
        write(options.rows, options.file, options.seed, options.header)


if __name__ == "__main__":
    main()
