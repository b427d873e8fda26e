"""The accepted differences between the image and the embedded AWS, with reasons."""

import re
from collections.abc import Collection, Iterator, Mapping

from tests.peers.spark_container.embedded import Outcome

NO_SIZES = {
    "spark.driver.defaultJavaOptions": "the embedded AWS has options of its own, for this machine",
    "spark.executor.defaultJavaOptions": "the embedded AWS has options of its own, for this machine",
    "spark.yarn.appMasterEnv.AWS_REGION": "the region, which the Spark home of a job has",
    "spark.executorEnv.AWS_REGION": "the region, which the Spark home of a job has",
}
"""Properties that the image writes with the sizes, with reasons why they are not compared."""

DIFFERENCES: Mapping[str, tuple[str, ...]] = {
    "the image writes Python's text of null, an object or a list, which is never meant; rejected here": (
        r"(spark-defaults|core-site|spark-metrics): (null|an object|a list)",
        "spark-env: null",
    ),
    "the image writes a line break, after which another setting begins; rejected here": (
        r"(spark-defaults|spark-metrics|spark-env): a line break",
    ),
    "the image writes what Spark or Hadoop cannot read and the job fails there; rejected before that here": (
        r"(spark-defaults|spark-metrics): a malformed escape",
        r"core-site: (a control character|a form feed|an ampersand)",
    ),
    "fails in both; the position in the message counts from the beginning of the image's file": (
        "core-site: a lone surrogate",
    ),
    "the image leaves out files of other schemes without a word; rejected here": ("another scheme", "HDFS"),
    "the classes lie among Spark's own jars here, and the image's libraries are not on this machine": (
        r"spark-defaults\.conf: spark\.(driver|executor)\.extra(ClassPath|LibraryPath)",
    ),
    "HDFS has a port of its own for each cluster here, and the driver has the address of this machine": (
        r"spark-defaults\.conf: spark\.driver\.host",
        r"core-site\.xml: fs\.defaultFS",
    ),
    "misspelled in the image, and so without effect": (r"core-site\.xml: fs\.AbstractFileSystem\.s3a\.imp",),
    "the same folder, as a URI": ("event logs to a folder",),
}
"""The names of jobs that differ, as regular expressions, by reason."""


def comparable(image: Outcome) -> Outcome:
    """Return an outcome of the image without what is not compared."""
    if "sizes" not in image:
        return image
    sizes = {name: value for name, value in image["sizes"].items() if name not in NO_SIZES}
    return {**image, "sizes": sizes}


def difference(image: Outcome, here: Outcome) -> str:
    """Return how outcomes differ, or an empty string."""
    return "; ".join(
        f"{key}: {image.get(key)!r} in the image, {here.get(key)!r} here"
        for key in sorted({*image, *here})
        if image.get(key) != here.get(key)
    )


def reason(name: str) -> str | None:
    """Return the known reason why a job differs, or None."""
    for text, patterns in DIFFERENCES.items():
        if any(re.fullmatch(pattern, name) for pattern in patterns):
            return text
    return None


def gone(names: Collection[str], found: Collection[str]) -> Iterator[str]:
    """Yield the entries of DIFFERENCES that no longer differ."""
    for patterns in DIFFERENCES.values():
        for pattern in patterns:
            matching = [name for name in names if re.fullmatch(pattern, name)]
            if not matching:
                yield pattern
            yield from (name for name in matching if name not in found)
