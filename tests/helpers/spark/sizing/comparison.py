"""The table of sizes in docs/spark.md: `python -m tests.helpers.spark.sizing.comparison --write`.

What `make size` writes, beside the two sizings of the image (`AWS_SPARK_CONFIG_MODE`) and the fixed figures
of the example that this template grew from, each on the same clusters. What YARN grants is computed as YARN
does it: node by node, the application master first.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers.local_aws.spark_container.image_sizing import advanced, standard
from helpers.spark.instances import Instance, instance
from helpers.spark.sizing.cluster import size

PAGE = Path(__file__).parents[4] / "docs" / "spark.md"
COMMAND = "python -m tests.helpers.spark.sizing.comparison --write"
BEGIN, END = f"<!-- sizes: made by {COMMAND} -->", "<!-- end of sizes -->"
CLUSTERS = (
    ("ml.t3.large", 1),
    ("ml.m5.xlarge", 1),
    ("ml.m5.xlarge", 2),
    ("ml.c5.4xlarge", 4),
    ("ml.m5.4xlarge", 1),
    ("ml.m5.4xlarge", 6),
    ("ml.r5.2xlarge", 3),
    ("ml.m5.24xlarge", 2),
)
EXAMPLE = {
    "spark.driver.memory": "10240m",
    "spark.executor.memory": "10240m",
    "spark.executor.memoryOverhead": "5120m",
    "spark.executor.cores": "5",
    "spark.executor.instances": "5",
}
"""The configuration.json of the sample by AWS, for any cluster."""
APPLICATION_MASTER_MIB = 512 + 384
"""Spark's default, with what is beside the heap."""


@dataclass(frozen=True)
class Request:
    """What a configuration asks YARN for, and what it lets YARN grant. Memory is in MiB."""

    executors: int
    cores: int
    executor_mib: int
    driver_mib: int
    """Heap; in client mode YARN knows nothing of it."""
    master_mib: int
    node_mib: int
    """What YARN may grant of a node."""
    node_vcores: int

    @classmethod
    def of(cls, properties: Mapping[str, str], on: Instance) -> "Request":
        """Return the request of the image, which lets YARN grant all of a node, with properties of Spark."""

        def mib(name: str) -> int:
            return int(properties[f"spark.{name}"].removesuffix("m"))

        return cls(
            executors=int(properties["spark.executor.instances"]),
            cores=int(properties["spark.executor.cores"]),
            executor_mib=mib("executor.memory") + mib("executor.memoryOverhead"),
            driver_mib=mib("driver.memory"),
            master_mib=APPLICATION_MASTER_MIB,
            node_mib=on.memory_mib,
            node_vcores=on.vcpus,
        )

    @property
    def is_refused(self) -> bool:
        """Whether the job fails at its start: it asks for no executor, or for one larger than a node."""
        return not self.executors or self.executor_mib > self.node_mib or self.cores > self.node_vcores

    def granted(self, count: int, *, by_vcores: bool) -> int:
        """Return the executors that YARN grants on so many nodes.

        Args:
            count: of nodes.
            by_vcores: whether YARN counts vCPU beside memory (DominantResourceCalculator).
        """

        def on_node(memory: int, vcores: int) -> int:
            return min(memory // self.executor_mib, vcores // self.cores if by_vcores else self.executors)

        first = on_node(self.node_mib - self.master_mib, self.node_vcores - 1)
        others = (count - 1) * on_node(self.node_mib, self.node_vcores)
        return min(self.executors, first + others)

    def primary_share(self, on: Instance, granted: int, count: int) -> float:
        """Return what the primary promises of its memory, if the application master lands there too."""
        executors = min(-(-granted // count), (self.node_mib - self.master_mib) // self.executor_mib)
        return (executors * self.executor_mib + self.master_mib + self.driver_mib) / on.memory_mib


def _made_by_size(on: Instance, count: int) -> Request:
    sizing = size(on, count)
    return Request(
        executors=sizing.executors,
        cores=sizing.cores,
        executor_mib=sizing.executor_mib,
        driver_mib=sizing.driver_heap_mib,
        master_mib=sizing.master_mib,
        node_mib=sizing.yarn_mib,
        node_vcores=sizing.yarn_vcores,
    )


CONFIGURATIONS: Mapping[str, Callable[[Instance, int], Request]] = {
    "`make size`": _made_by_size,
    "image, standard": lambda on, count: Request.of(standard(on, count), on),
    "image, advanced": lambda on, count: Request.of(advanced(on, count), on),
    "example": lambda on, count: Request.of(EXAMPLE, on),
}


@dataclass(frozen=True)
class Row:
    """A configuration on a cluster."""

    instance: Instance
    count: int
    configuration: str
    request: Request

    @property
    def granted(self) -> tuple[int, int]:
        """The executors that YARN grants by memory alone, and by memory and vCPU."""
        by_memory, by_both = (
            self.request.granted(self.count, by_vcores=by_vcores) for by_vcores in (False, True)
        )
        return by_memory, by_both

    @property
    def primary_share(self) -> float:
        """What the primary promises of its memory."""
        return self.request.primary_share(self.instance, max(self.granted), self.count)

    @property
    def fits(self) -> bool:
        """Whether all executors are granted either way, and the primary has what it promises."""
        is_granted = self.request.executors == min(self.granted)
        return not self.request.is_refused and is_granted and self.primary_share <= 1

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        request, granted = self.request, self.granted
        most = max(granted)
        vcpus, memory = self.count * self.instance.vcpus, self.count * self.instance.memory_mib
        head = (
            f"{self.count} × {self.instance.name}",
            self.configuration,
            f"{request.executors} × {request.cores} × {request.executor_mib:,}",
        )
        if request.is_refused:
            return (*head, "refused", "", "", "", "**no**")
        return (
            *head,
            f"{granted[0]} / {granted[1]}",
            f"{most * request.cores / vcpus:.0%}",
            f"{most * request.executor_mib / memory:.0%}",
            f"{self.primary_share:.0%}",
            "yes" if self.fits else "**no**",
        )


def rows() -> Iterator[Row]:
    """Yield each configuration on each cluster."""
    for name, count in CLUSTERS:
        on = instance(name)
        for configuration, request in CONFIGURATIONS.items():
            yield Row(on, count, configuration, request(on, count))


def with_table(page: str) -> str:
    """Return the page with its table regenerated."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    header = (
        "| cluster | configuration | executors × cores × MiB | granted: by memory / and vCPU "
        "| vCPU that run tasks | memory of executors | promised of the primary | fits |\n"
        "|---|---|---|---|---:|---:|---:|---|"
    )
    table = [f"| {' | '.join(row.cells)} |" for row in rows()]
    return before + "\n".join([BEGIN, header, *table, END]) + after


if __name__ == "__main__":
    text = with_table(PAGE.read_text(encoding="utf-8"))
    if "--write" in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)
