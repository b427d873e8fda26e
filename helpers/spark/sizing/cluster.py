"""How the memory and the vCPUs of a cluster are shared out.

Every node runs a NodeManager and a DataNode. The primary also runs the ResourceManager, the NameNode and, in
client mode, the driver; one node of YARN's choice runs the application master. One configuration.json
holds for all nodes and executors are alike, so the primary, which has the least to spare, sets their size.
The rules are those of EMR's guidance (executors of about five cores, a tenth of one as overhead) and of the
image's `AWS_SPARK_CONFIG_MODE=2`, without its driver that YARN does not know of.
"""

from dataclasses import dataclass
from enum import StrEnum

from helpers.errors import UserError
from helpers.spark.instances import Instance

SYSTEM_SHARE = 0.05
"""Of the nominal memory: kernel, agents, page cache. The image's own rule is the same 5 %."""
SYSTEM_MIB = 512
"""The least for the system."""
DAEMONS = ("NameNode", "DataNode", "ResourceManager", "NodeManager")
"""Of the primary; workers run two of them, and what that spares there is page cache."""
DAEMON_NATIVE_MIB = 128
"""What a daemon's JVM needs beside its heap: classes, code, threads."""
_DAEMON_HEAPS_MIB = ((30720, 512), (7168, 256), (0, 128))
"""By the least memory of an instance: for one job on tens of nodes. hadoop-env holds the daemons to it."""
APPLICATION_MASTER_HEAP_MIB = 512
"""Spark's default; it only asks YARN for executors."""
TIGHT_APPLICATION_MASTER_HEAP_MIB = 384
"""Below 7 GiB, where one must not need the room of an executor."""
LEAST_OVERHEAD_MIB = 384
"""Spark's least memory beside a heap."""
LEAST_HEAP_MIB = 512
"""Spark does not start with less than 450 MiB, of which the collector hides some."""
MOST_DRIVER_HEAP_MIB = 16384
POINTERS_MIB = 31 * 1024
"""Heaps above 31 GiB lose compressed pointers, and hold less until about 40 GiB."""
CORES = 5
"""Of an executor, by EMR's guidance: fewer share less, more wait for each other."""
MOST_CORES = 8
LEAST_VCPU_USE = 0.95
DRIVER_SHARE = 0.06
"""Of a node: executors are alike, so what the primary gives the driver lies idle on the other nodes."""
DRIVER_MIB = 1024 + LEAST_OVERHEAD_MIB
"""The least for the driver, with Spark's default heap, while no more than MOST_IDLE_SHARE idles for it."""
MOST_IDLE_SHARE = 0.095
OVERHEAD_SHARE = 0.1
PYTHON_SHARE = 0.25
"""Of an executor with Python workers in the hot path."""
PARTITION_BYTES = 128_000_000
"""Of a shuffle; Spark coalesces what is smaller, and spills what is much larger."""
MOST_PARTITIONS = 20_000
"""Of a shuffle, if the cores do not ask for more: the driver keeps a line on each."""


class Shape(StrEnum):
    """What a job mostly does."""

    SCAN = "scan"
    """Reads, projects, filters, writes."""
    SHUFFLE = "shuffle"
    """Joins, groups or sorts most of its data."""
    PYTHON = "python"
    """Runs Python functions on the rows, in workers beside the JVM."""


@dataclass(frozen=True)
class Sizing:
    """The shares of a node, in MiB, and the executors of the cluster."""

    instance: Instance
    count: int
    shape: Shape
    data_bytes: int | None
    system_mib: int
    daemon_heap_mib: int
    master_heap_mib: int
    driver_heap_mib: int
    driver_outside_mib: int
    """Beside the driver's heap: its JVM's own needs and the Python process."""
    executors_per_node: int
    cores: int
    """Of an executor."""
    heap_mib: int
    """Of an executor."""
    overhead_mib: int
    """Of an executor's JVM, beside its heap."""
    python_mib: int
    """Of an executor's Python workers."""

    @property
    def daemons_mib(self) -> int:
        """Memory of the primary's daemons; on each node, as the configuration is one for all."""
        return len(DAEMONS) * (self.daemon_heap_mib + DAEMON_NATIVE_MIB)

    @property
    def master_mib(self) -> int:
        """Memory of the application master's container; on each node, as YARN chooses one."""
        return self.master_heap_mib + LEAST_OVERHEAD_MIB

    @property
    def left_mib(self) -> int:
        """What a node has left after the system, the daemons and the application master."""
        return self.instance.memory_mib - self.system_mib - self.daemons_mib - self.master_mib

    @property
    def driver_mib(self) -> int:
        """Memory of the driver's processes, on the primary."""
        return self.driver_heap_mib + self.driver_outside_mib

    @property
    def executor_mib(self) -> int:
        """Memory of an executor's container."""
        return self.heap_mib + self.overhead_mib + self.python_mib

    @property
    def yarn_mib(self) -> int:
        """What YARN may promise of a node: its executors and the application master, and no more."""
        return self.executors_per_node * self.executor_mib + self.master_mib

    @property
    def yarn_vcores(self) -> int:
        """What YARN may promise of a node's vCPUs; the application master idles beside the executors."""
        return self.executors_per_node * self.cores + 1

    @property
    def executors(self) -> int:
        """Executors of the cluster."""
        return self.count * self.executors_per_node

    @property
    def slots(self) -> int:
        """Tasks that run at once."""
        return self.executors * self.cores

    @property
    def vcpu_use(self) -> float:
        """The executors' share of the cluster's vCPUs."""
        return self.slots / (self.count * self.instance.vcpus)

    @property
    def memory_use(self) -> float:
        """The executors' and the driver's share of what is left after the daemons, over the cluster."""
        used = self.executors * self.executor_mib + self.driver_mib
        return used / (self.count * self.left_mib)

    @property
    def shuffle_partitions(self) -> int:
        """Partitions after a shuffle, a multiple of the slots: at least two waves, as if all data moved."""
        waves = 2
        if self.shape is Shape.SHUFFLE:
            size = min(-(-(self.data_bytes or 0) // PARTITION_BYTES), MOST_PARTITIONS)
            waves = max(4, -(-size // self.slots))
        return waves * self.slots


def size(instance: Instance, count: int, data_bytes: int | None = None, shape: Shape = Shape.SCAN) -> Sizing:
    """Return how to share out a cluster.

    Args:
        instance: of all nodes.
        count: of nodes, the primary among them.
        data_bytes: what the job reads; None if it is not known.
        shape: what the job mostly does.

    Raises:
        UserError: no node, no data, or a node without room for a driver and an executor.
    """
    if count < 1:
        raise UserError(f"a cluster has 1 node or more, not {count}", hint="Set COUNT to a number from 1")
    if data_bytes is not None and data_bytes <= 0:
        raise UserError(
            f"the job reads more than {data_bytes} bytes", hint="Leave the size out if it is not known"
        )
    memory = instance.memory_mib
    system = max(SYSTEM_MIB, int(SYSTEM_SHARE * memory))
    daemon_heap = next(heap for least, heap in _DAEMON_HEAPS_MIB if memory >= least)
    tight = daemon_heap == _DAEMON_HEAPS_MIB[-1][1]
    master_heap = TIGHT_APPLICATION_MASTER_HEAP_MIB if tight else APPLICATION_MASTER_HEAP_MIB
    daemons = len(DAEMONS) * (daemon_heap + DAEMON_NATIVE_MIB)
    left = memory - system - daemons - master_heap - LEAST_OVERHEAD_MIB
    driver_heap, driver_outside = _driver(left, count)
    cores, per_node = _shape_of_executors(instance.vcpus, left - driver_heap - driver_outside)
    container = (left - driver_heap - driver_outside) // per_node
    python = int(PYTHON_SHARE * container) if shape is Shape.PYTHON else 0
    overhead = _overhead(container)
    heap = container - overhead - python
    if heap < LEAST_HEAP_MIB:
        raise UserError(
            f"{instance}: after the system, the daemons and the driver an executor's heap would have "
            f"{heap} MiB, and Spark needs {LEAST_HEAP_MIB}",
            hint="Use an instance with more memory",
        )
    return Sizing(
        instance=instance,
        count=count,
        shape=shape,
        data_bytes=data_bytes,
        system_mib=system,
        daemon_heap_mib=daemon_heap,
        master_heap_mib=master_heap,
        driver_heap_mib=driver_heap,
        driver_outside_mib=driver_outside,
        executors_per_node=per_node,
        cores=cores,
        heap_mib=heap,
        overhead_mib=overhead,
        python_mib=python,
    )


def _driver(left_mib: int, count: int) -> tuple[int, int]:
    """Return the heap of the driver and what it needs beside it, in MiB."""
    nodes = max(count, 2)  # one node alone could give more, and gets the driver of two
    most = MOST_IDLE_SHARE * left_mib * nodes / (nodes - 1)
    share = int(min(max(DRIVER_SHARE * left_mib, DRIVER_MIB), most))
    heap = min(max(share - _overhead(share), LEAST_HEAP_MIB), MOST_DRIVER_HEAP_MIB)
    return heap, max(LEAST_OVERHEAD_MIB, int(heap * OVERHEAD_SHARE / (1 - OVERHEAD_SHARE)))


def _overhead(total_mib: int) -> int:
    """Return what a JVM needs beside its heap, of a total in MiB."""
    return max(LEAST_OVERHEAD_MIB, int(OVERHEAD_SHARE * total_mib))


def _shape_of_executors(vcpus: int, memory_mib: int) -> tuple[int, int]:
    """Return an executor's cores and the executors of a node: about five cores that leave none idle."""
    fitting = [
        (cores, vcpus // cores)
        for cores in range(1, min(vcpus, MOST_CORES) + 1)
        if vcpus // cores * cores >= LEAST_VCPU_USE * vcpus
    ]

    def preference(shape: tuple[int, int]) -> tuple[bool, int, int]:
        cores, per_node = shape
        heap = memory_mib / per_node * (1 - OVERHEAD_SHARE)
        return heap > POINTERS_MIB, abs(cores - CORES), -cores

    return min(fitting, key=preference)
