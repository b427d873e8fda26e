"""Compares the Spark container of the embedded AWS with smspark, the program of AWS's Spark image.

Both get the same command lines, configuration.json documents and instance sizes. Each difference must be
listed in comparison.py with a reason; an unlisted one, or a listed one that no longer exists, is an error.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from helpers.command_line import run_command
from helpers.local_aws.spark_container.job_python import job_python
from helpers.spark.instances import instance
from tests.peers.checkouts import Source
from tests.peers.spark_container import defaults, embedded
from tests.peers.spark_container.comparison import comparable, difference, gone, reason
from tests.peers.spark_container.embedded import Outcome
from tests.peers.spark_container.jobs import PARTS, Job
from tests.peers.spark_container.readers import FileReader, file_reader
from tests.peers.spark_container.recorded import RESULTS, record

IMAGE = Source(
    "CONTAINER",
    "https://github.com/aws/sagemaker-spark-container",
    "7d90eeb1461f614340475dc4644313a629c3750b",
    ("src/smspark", defaults.FOLDER),
)
_PROGRAM = Path(__file__).with_name("run_smspark.py")


def in_image(jobs: Sequence[Job], source: Path, reader: FileReader) -> list[Outcome]:
    """Return the comparable results of smspark for jobs, with files as their readers understand them.

    Args:
        jobs: the jobs.
        source: folder with the package smspark.
        reader: reader of the files.
    """
    given = [
        {**asdict(job), "vcpus": of.vcpus, "memory_mib": of.memory_mib}
        for job in jobs
        for of in [instance(job.instance_type)]
    ]
    with tempfile.TemporaryDirectory() as root:
        smspark = subprocess.run(
            [str(job_python().program), "-X", "utf8", str(_PROGRAM), root],
            input=json.dumps(given),
            env={"PYTHONPATH": str(source)},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    return [comparable(reader.understood(outcome)) for outcome in json.loads(smspark.stdout)]


def compare(arguments: argparse.Namespace) -> int:
    """Run each job in both, print the comparison, and return the exit code.

    Raises:
        UserError: the checkout does not have the commit, or the Python of jobs is not installed.
    """
    parts = {name: list(jobs()) for name, jobs in PARTS.items()}
    with tempfile.TemporaryDirectory() as folder, file_reader() as reader:
        IMAGE.extract(arguments.container, Path(folder))
        properties, found_in_properties = defaults.differences(Path(folder), reader)
        jobs = [job for part in parts.values() for job in part]
        image = dict(zip(jobs, in_image(jobs, Path(folder) / "src", reader), strict=True))
        here = {job: embedded.outcome(job, Path(folder) / "root") for job in jobs}
    if arguments.record:
        record(IMAGE.commit, {job.name: image[job] for job in jobs})
    found = {
        **found_in_properties,
        **{job.name: text for job in jobs if (text := difference(image[job], here[job]))},
    }
    names = {part: [job.name for job in of_part] for part, of_part in parts.items()}
    names["defaults"] = properties
    for part, of_part in names.items():
        differ = sum(name in found for name in of_part)
        print(f"{part}: {len(of_part)}, of which {differ} differ")
    counts = Counter(known for name in found if (known := reason(name)))
    print(*(f"{count:>5}  {text}" for text, count in counts.most_common()), sep="\n")
    wrong = [f"new: {name}: {text}" for name, text in found.items() if not reason(name)]
    wrong += [
        f"gone: {name} is listed in DIFFERENCES"
        for name in gone([name for part in names.values() for name in part], found)
    ]
    if wrong:
        print("\nChange the embedded AWS or DIFFERENCES:", *wrong, sep="\n", file=sys.stderr)
    return int(bool(wrong))


def main() -> int:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(prog="test-peers", description=__doc__.splitlines()[0])
    parser.add_argument("container", type=Path, metavar="DIR", help=f"a checkout of {IMAGE.remote}")
    parser.add_argument(
        "--record", action="store_true", help=f"write {RESULTS.name}, which `make test` reads"
    )
    return run_command(compare, parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
