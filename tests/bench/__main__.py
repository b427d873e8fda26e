"""Run measurements and write their results to a file: `make bench`, or `make bench ROWS=100000 ROUNDS=1`.

Each section of the file is a list of results with the conditions of the measurement. Candidates of a section
run alternately on the same files within minutes, so that they can be compared.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from helpers.command_line import run_command
from helpers.local_aws.spark_container.configuration import parse
from helpers.progress import progress
from helpers.spark import maven_jars
from tests.bench import (
    abalone,
    check,
    commands,
    event_log_reader,
    kept_state,
    life_cycle,
    pipelines,
    small_jobs,
    step_overhead,
    yarn,
)
from tests.bench.measure import Cost, in_turn, keep, kept, machine, run, size_mb
from tests.spark_submit import JOB, JOBS, command, environment

OTHER_JOBS = Path(__file__).with_name("other_jobs.py")
ONE_MACHINE = Path(__file__).with_name("one_machine.py")
ENGINES_PYTHON = Path(".venv/bench/bin/python")
MEMORY = {"spark.driver.memory": "2g"}
JVM_OPTIONS = {
    name: value
    for name, value in parse((JOBS / "configuration.json").read_text())["spark-defaults"].items()
    if name.endswith(".extraJavaOptions")
}
"""JVM options of our job from its configuration.json, without sizes, which are for other machines."""

EARLIER = "a42d9124310f07425c3f9b36f802333e3eba6575"
"""A commit whose job works only with Spark expressions."""

LEVERS: Mapping[str, Mapping[str, str]] = {
    "our job": {},
    "parallel garbage collector": {"spark.driver.defaultJavaOptions": "-XX:+UseParallelGC"},
    "both compilers": {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=4"},
    "two tasks a core": {"spark.default.parallelism": "4"},
}

COMET = maven_jars.Jar(
    "org.apache.datafusion",
    "comet-spark-spark3.5_2.12",
    "0.12.0",
    70222997,
    "4ef25ed0da6816e18b0b7711b82e9807d62a0330a1e89aa3f09a1bbb005c9424",
)
COMET_SETTINGS = {
    "spark.plugins": "org.apache.spark.CometPlugin",
    "spark.shuffle.manager": "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager",
    "spark.memory.offHeap.enabled": "true",
    "spark.memory.offHeap.size": "1g",
    "spark.comet.convert.csv.enabled": "true",
    "spark.comet.expression.allowIncompatible": "true",
    "spark.comet.expression.Cast.allowIncompatible": "true",
    "spark.comet.regexp.allowIncompatible": "true",
}
"""Settings that let Apache DataFusion Comet take over as much as possible, even with different semantics."""


BYTES_PER_ROW = 80
"""Bytes per row of the input and of both outputs of a candidate."""
FREE_SHARE = 0.1
"""Free fraction of the disk; with less, YARN starts no containers."""


def need_room(rows: int, folder: Path) -> None:
    """Check that a disk has room for a number of rows.

    Raises:
        SystemExit: the disk has not enough room.
    """
    disk = shutil.disk_usage(folder)
    needed = rows * BYTES_PER_ROW
    if disk.free - needed < disk.total * FREE_SHARE:
        sys.exit(
            f"{rows:,} rows need {needed / 1e9:.1f} GB in {folder}, which has {disk.free / 1e9:.1f} GB, and "
            "a tenth of the disk must stay free: set TMPDIR to another disk, or take fewer ROWS"
        )


class Bench:
    """The common parts of all sections: the amount of data, the rounds and a folder."""

    def __init__(self, rows: int, rounds: int, folder: Path):
        self.rows, self.rounds, self.folder = rows, rounds, folder

    def data(self, rows: int, name: str = "") -> Path:
        """Return a file with a number of rows, generated once."""
        file = self.folder / (name or f"{rows}.csv")
        if not file.exists():
            need_room(rows, self.folder)
            abalone.write(rows, file)
        return file

    def spark(
        self, source: Path, other: str = "", conf: Mapping[str, str] | None = None, master: str = "local[2]"
    ) -> Cost:
        """Run our job, or another one, on a file or folder."""
        target = self.folder / "out"
        shutil.rmtree(target, ignore_errors=True)
        words = (
            [OTHER_JOBS, other, str(source), str(target)]
            if other
            else [JOB, "--input_table", str(source), "--output_table", str(target)]
        )
        properties = {**MEMORY, **({} if other else JVM_OPTIONS), **(conf or {})}
        return run(command(*words, master=master, conf=properties), environment())

    def earlier(self, source: Path) -> Cost:
        """Run the job of an earlier commit on a file or folder.

        Raises:
            SystemExit: the history does not contain the commit, as in a repository created from the template.
        """
        app, helper = (self.folder / EARLIER / name for name in ("process_pyspark.py", "data_utils.py"))
        app.parent.mkdir(exist_ok=True)
        for file in (app, helper):
            show = ["git", "show", f"{EARLIER}:spark_jobs/{file.name}"]
            shown = subprocess.run(show, capture_output=True, check=False)
            if shown.returncode:
                sys.exit(
                    f"This repository has no commit {EARLIER}: fetch it, or use --only for other sections."
                )
            file.write_bytes(shown.stdout)
        target = self.folder / "out"
        shutil.rmtree(target, ignore_errors=True)
        words = ("--input_table", str(source), "--output_table", str(target))
        return run(command(app, *words, conf=MEMORY, helpers=(helper,)), environment())

    def engine(self, source: Path, name: str) -> Cost:
        """Run a single-machine engine on a file."""
        target = self.folder / "out"
        shutil.rmtree(target, ignore_errors=True)
        return run([str(ENGINES_PYTHON), str(ONE_MACHINE), name, str(source), str(target), "2"])

    def alternatives(self) -> dict[str, Any]:
        """Measure our job against the sample's and against single-machine engines."""
        source = self.data(self.rows)
        candidates = {
            "our job": partial(self.spark, source),
            f"the job of {EARLIER[:7]}": partial(self.earlier, source),
            "the sample's job": partial(self.spark, source, "sample"),
            "Arrow in Spark's workers": partial(self.spark, source, "Arrow in mapInArrow, which writes too"),
            "DuckDB": partial(self.engine, source, "duckdb"),
            "Polars": partial(self.engine, source, "polars"),
        }
        return {
            "rows": self.rows,
            "input_mb": size_mb(source),
            "results": in_turn(candidates, self.rounds),
        }

    def start(self) -> dict[str, Any]:
        """Measure our job on almost no data: the cost of startup and compilation."""
        source = self.data(1_000)
        candidates = {
            "our job": partial(self.spark, source),
            f"the job of {EARLIER[:7]}": partial(self.earlier, source),
        }
        return {"rows": 1_000, "results": in_turn(candidates, self.rounds)}

    def sample(self) -> dict[str, Any]:
        """Measure the job of `make run`."""
        return small_jobs.measure(self.rounds, self.folder)

    def large(self) -> dict[str, Any]:
        """Measure our job against DuckDB with five times the rows, and its memory with both amounts."""
        rows = self.rows * 5
        source = self.data(rows)
        candidates = {
            "our job": partial(self.spark, source),
            "DuckDB": partial(self.engine, source, "duckdb"),
            f"our job on {self.rows:,} rows": partial(self.spark, self.data(self.rows)),
        }
        return {"rows": rows, "input_mb": size_mb(source), "results": in_turn(candidates, self.rounds)}

    def levers(self) -> dict[str, Any]:
        """Measure the effect of each change: ways to read in the simplest job, and settings in ours."""
        rows = max(1, self.rows // 4)
        source = self.data(rows)
        from tests.bench.other_jobs import JOBS  # noqa: PLC0415 - pyspark, needed only here

        candidates: dict[str, Callable[[], Cost]] = {
            f"read: {name}": partial(self.spark, source, name) for name in JOBS
        }
        candidates |= {
            f"setting: {name}": partial(self.spark, source, "", conf) for name, conf in LEVERS.items()
        }
        (jar,) = maven_jars.ensure((COMET,))
        comet = {**COMET_SETTINGS, "spark.driver.extraClassPath": str(jar)}
        candidates |= {
            "read: checked csv reader, Comet": partial(self.spark, source, "checked csv reader", comet),
        }
        return {"rows": rows, "input_mb": size_mb(source), "results": in_turn(candidates, self.rounds)}

    def sizes(self) -> dict[str, Any]:
        """Measure our job with different amounts of data and the same memory."""
        counts = [self.rows // 20, self.rows // 4, self.rows // 2, self.rows]
        candidates = {f"{count:,}": partial(self.spark, self.data(count)) for count in counts}
        results = in_turn(candidates, self.rounds)
        for count in counts:
            results[f"{count:,}"]["rows"] = count
        return {"memory": MEMORY["spark.driver.memory"], "results": results}

    def executors(self) -> dict[str, Any]:
        """Measure our job with one and with two executors of one core."""
        source = self.data(self.rows)
        candidates = {
            f"{count}": partial(
                self.spark,
                source,
                master=f"local-cluster[{count},1,1024]",
                conf={"spark.executor.memory": "1g", "spark.executor.cores": "1"},
            )
            for count in (1, 2)
        }
        return {"rows": self.rows, "results": in_turn(candidates, self.rounds)}

    def shapes(self) -> dict[str, Any]:
        """Measure our job with the same number of rows in other shapes."""
        rows = max(10_000, self.rows // 10)
        even = self.data(rows)
        skewed, tiny, packed = (self.folder / name for name in ("skewed", "tiny", "packed"))
        if not skewed.exists():
            skewed.mkdir()
            abalone.write(rows * 9 // 10, skewed / "large.csv")
            for part in range(20):
                abalone.write(rows // 200, skewed / f"{part}.csv", seed=part)
            tiny.mkdir()
            text = even.read_bytes().splitlines(keepends=True)
            files = 10_000 if rows >= 1_000_000 else 100
            share = -(-len(text) // files)
            for part in range(files):
                (tiny / f"{part}.csv").write_bytes(b"".join(text[part * share : (part + 1) * share]))
            packed.mkdir()
            with (packed / "all.csv.gz").open("wb") as file:
                subprocess.run(["gzip", "--stdout", str(even)], stdout=file, check=True)
        candidates = {
            "one file": partial(self.spark, even),
            "skewed: 90 % in one of 21 files": partial(self.spark, skewed),
            f"tiny: {len(list(tiny.iterdir())):,} files": partial(self.spark, tiny),
            "one gzip": partial(self.spark, packed),
        }
        return {"rows": rows, "results": in_turn(candidates, self.rounds)}

    def event_log(self) -> dict[str, Any]:
        """Measure readers of the same event log, with a gigabyte for twenty million rows."""
        return event_log_reader.measure(
            max(2, self.rows * 1024 // 20_000_000), self.rounds, self.folder, str(ENGINES_PYTHON)
        )

    def plane(self) -> dict[str, Any]:
        """Measure the embedded AWS itself with steps that do nothing."""
        return pipelines.measure(steps=500 if self.rows >= 1_000_000 else 10)

    def step(self) -> dict[str, Any]:
        """Measure the overhead of a step over a plain spark-submit."""
        return step_overhead.measure(self.rounds)

    def life_cycle(self) -> dict[str, Any]:
        """Measure the pipeline train, batch transform and statistics."""
        return life_cycle.measure(self.rounds, max(10_000, self.rows // 10), self.folder)

    def state(self) -> dict[str, Any]:
        """Measure the cost of keeping the state of the embedded AWS."""
        return kept_state.measure(self.rounds, 1000 if self.rows >= 1_000_000 else 20, self.folder)

    def yarn(self) -> dict[str, Any]:
        """Measure jobs with two instances against those of the last commit without YARN."""
        return yarn.measure(self.rounds, self.folder)

    def commands(self) -> dict[str, Any]:
        """Measure everyday commands against those of an earlier commit."""
        return commands.measure(self.rounds, self.folder)

    def tests(self) -> dict[str, Any]:
        """Measure `make test` against that of an earlier commit."""
        return commands.measure_tests(self.folder)


SECTIONS = (
    "alternatives",
    "start",
    "sample",
    "large",
    "levers",
    "sizes",
    "executors",
    "shapes",
    "event_log",
    "step",
    "plane",
    "life_cycle",
    "state",
    "yarn",
    "commands",
    "tests",
)


@contextmanager
def _continued(sections: Sequence[str], section: str) -> Iterator[None]:
    """List the sections that were skipped by Ctrl-C; an execution on the embedded AWS may continue."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        rest = " ".join(sections[sections.index(section) :])
        interruption.add_note(f"Measure the other sections with: make bench ARGS='--only {rest}'")
        interruption.add_note("An execution on the embedded AWS may continue. Stop it with: make down")
        raise


def main() -> int:
    """Measure, and store the figures or compare them with the stored ones."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--results", type=Path, required=True, help="file of figures, of which others stay")
    parser.add_argument(
        "--check", action="store_true", help="compare ratios with the file's, do not write it"
    )
    return run_command(_bench, parser.parse_args())


def _bench(options: argparse.Namespace) -> int:
    measured: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(options.rows, options.rounds, Path(folder))
        scale = f"{options.rows} rows, {options.rounds} rounds"
        with progress("bench", scale, options.only, Console(stderr=True)) as steps:
            for section in options.only:
                with steps.step(section), _continued(options.only, section):
                    measured[section] = {"machine": machine(), **getattr(bench, section)()}
                if not options.check:  # after each section, because the next one may fail or be interrupted
                    keep(options.results, section, measured[section])
    if options.check:
        lines, worse = check.compare(kept(options.results), measured)
        print("\n".join(lines))
        return worse
    return 0


if __name__ == "__main__":
    sys.exit(main())
