"""The table of sizes in docs/spark.md.

It compares the output of `make size`, the two sizing modes of the image (`AWS_SPARK_CONFIG_MODE`) and the
fixed values of the example that this template is based on, on the same clusters, with what a real YARN
granted.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from helpers.local_aws.spark_container.configuration import parse
from helpers.local_aws.spark_container.image_sizing import advanced, standard
from helpers.spark.instances import Instance, instance
from helpers.spark.sizing import Shape, Sizing, size
from helpers.spark.sizing.configuration import document, render

PAGE = Path(__file__).parents[4] / "docs" / "spark.md"
GRANTED = Path(__file__).with_name("granted.json")
COMMAND = "python -m tests.helpers.spark.sizing.granted --write"
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
"""The configuration.json of AWS's sample, for any cluster."""
MASTER_HEAP, MASTER_OVERHEAD_MIB = "512m", 384
"""Spark's defaults for an application master."""


@dataclass(frozen=True)
class Request:
    """What a configuration requests from YARN, and what it lets YARN grant. Memory is in MiB."""

    executors: int
    cores: int
    executor_mib: int
    driver_mib: int
    """Heap of the driver; in client mode, YARN does not know it."""
    master_mib: int
    node_mib: int
    """Memory of a node that YARN can grant."""
    node_vcores: int
    yarn_site: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, properties: Mapping[str, str], on: Instance, yarn_site: Mapping[str, str] | None = None
    ) -> "Request":
        """Return the request of a job with Spark and YARN properties.

        Without YARN properties, YARN can grant all memory of a node, as in the image.
        """
        yarn_site = yarn_site or {}

        def mib(name: str, default: str = "") -> int:
            return int(properties.get(f"spark.{name}", default).removesuffix("m"))

        return cls(
            executors=int(properties["spark.executor.instances"]),
            cores=int(properties["spark.executor.cores"]),
            executor_mib=mib("executor.memory") + mib("executor.memoryOverhead"),
            driver_mib=mib("driver.memory"),
            master_mib=mib("yarn.am.memory", MASTER_HEAP) + MASTER_OVERHEAD_MIB,
            node_mib=int(yarn_site.get("yarn.nodemanager.resource.memory-mb", on.memory_mib)),
            node_vcores=int(yarn_site.get("yarn.nodemanager.resource.cpu-vcores", on.vcpus)),
            yarn_site=yarn_site,
        )

    @property
    def is_rejected(self) -> bool:
        """Whether the job fails at startup: it requests no executor, or one larger than a node."""
        return not self.executors or self.executor_mib > self.node_mib or self.cores > self.node_vcores

    def primary_share(self, on: Instance, granted: int, count: int) -> float:
        """Return the allocated fraction of the primary's memory if the application master runs there."""
        executors = min(-(-granted // count), (self.node_mib - self.master_mib) // self.executor_mib)
        return (executors * self.executor_mib + self.master_mib + self.driver_mib) / on.memory_mib


def made_by_size(on: Instance, count: int, shape: Shape = Shape.SCAN) -> tuple[Request, Sizing]:
    """Return the request of the configuration.json from `make size`, and its sizing."""
    sizing = size(on, count, None, shape)
    configuration = parse(render(document(sizing)))
    return Request.of(configuration["spark-defaults"], on, configuration["yarn-site"]), sizing


CONFIGURATIONS: Mapping[str, Callable[[Instance, int], Request]] = {
    "`make size`": lambda on, count: made_by_size(on, count)[0],
    "image, standard": lambda on, count: Request.of(standard(on, count), on),
    "image, advanced": lambda on, count: Request.of(advanced(on, count), on),
    "example": lambda on, count: Request.of(EXAMPLE, on),
}


@cache
def granted() -> Mapping[str, tuple[int, int]]:
    """Return the executors that YARN granted by memory only, and by memory and vCPU, by `key`."""
    return {name: tuple(found) for name, found in json.loads(GRANTED.read_text(encoding="utf-8")).items()}


def key(on: Instance, count: int, configuration: str) -> str:
    """Return the name of a configuration on a cluster."""
    return f"{count} × {on.name}: {configuration}"


@dataclass(frozen=True)
class Row:
    """A configuration on a cluster."""

    instance: Instance
    count: int
    configuration: str
    request: Request

    @property
    def granted(self) -> tuple[int, int]:
        """The executors that YARN grants by memory only, and by memory and vCPU."""
        return granted()[key(self.instance, self.count, self.configuration)]

    @property
    def primary_share(self) -> float:
        """The fraction of the primary's memory that is allocated."""
        return self.request.primary_share(self.instance, max(self.granted), self.count)

    @property
    def fits(self) -> bool:
        """Whether all executors are granted in both cases, and the primary has enough memory."""
        if self.request.is_rejected:
            return False
        return self.request.executors == min(self.granted) and self.primary_share <= 1

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        request = self.request
        vcpus, memory = self.count * self.instance.vcpus, self.count * self.instance.memory_mib
        head = (
            f"{self.count} × {self.instance.name}",
            self.configuration,
            f"{request.executors} × {request.cores} × {request.executor_mib:,}",
        )
        if request.is_rejected:
            return (*head, "rejected", "", "", "", "**no**")
        granted = self.granted
        most = max(granted)
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
        "| cluster | configuration | executors × cores × MiB | granted by YARN: by memory / and vCPU "
        "| vCPU that run tasks | memory of executors | allocated on the primary | fits |\n"
        "|---|---|---|---|---:|---:|---:|---|"
    )
    table = [f"| {' | '.join(row.cells)} |" for row in rows()]
    return before + "\n".join([BEGIN, header, *table, END]) + after
