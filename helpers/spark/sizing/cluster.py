"""Divides the memory and the vCPUs of a cluster among its processes.

Every node runs a NodeManager and a DataNode. The primary node also runs the ResourceManager, the NameNode
and, in client mode, the driver. YARN chooses the node of the application master. One configuration.json
applies to all nodes, and executors are identical, so the primary, which has the least free memory, determines
their size. The rules follow EMR's guidance (executors of about five cores, a tenth of the memory as overhead)
and the image's `AWS_SPARK_CONFIG_MODE=2`, but without its driver, which YARN does not know.
"""

from dataclasses import dataclass
from enum import StrEnum

from helpers.errors import UserError
from helpers.spark.instances import Instance

SYSTEM_SHARE = 0.05
"""Fraction of the nominal memory for kernel, agents and page cache. The image also uses 5 %."""
SYSTEM_MIB = 512
"""Minimum memory of the system."""
DAEMONS = ("NameNode", "DataNode", "ResourceManager", "NodeManager")
"""Daemons of the primary. Workers run two of them; the memory saved there is page cache."""
DAEMON_NATIVE_MIB = 128
"""Memory of a daemon's JVM in addition to its heap: classes, code, threads."""
_DAEMON_HEAPS_MIB = ((30720, 512), (7168, 256), (0, 128))
"""Daemon heaps by minimum memory of an instance, for one job on tens of nodes; set in hadoop-env."""
APPLICATION_MASTER_HEAP_MIB = 512
"""Spark's default; the application master only requests executors from YARN."""
TIGHT_APPLICATION_MASTER_HEAP_MIB = 384
"""For less than 7 GiB, so that the application master does not use the memory of an executor."""
LEAST_OVERHEAD_MIB = 384
"""Spark's minimum memory overhead."""
LEAST_HEAP_MIB = 512
"""Spark does not start with less than 450 MiB, of which the garbage collector reserves some."""
MOST_DRIVER_HEAP_MIB = 16384
POINTERS_MIB = 31 * 1024
"""Heaps above 31 GiB have no compressed pointers, and hold less data until about 40 GiB."""
CORES = 5
"""Cores of an executor in EMR's guidance: with fewer, less is shared; with more, tasks contend."""
MOST_CORES = 8
LEAST_VCPU_USE = 0.95
DRIVER_SHARE = 0.06
"""Fraction of a node for the driver: executors are identical, so this memory is idle on the other nodes."""
DRIVER_MIB = 1024 + LEAST_OVERHEAD_MIB
"""Minimum memory of the driver, with Spark's default heap, if at most MOST_IDLE_SHARE is idle for it."""
MOST_IDLE_SHARE = 0.095
OVERHEAD_SHARE = 0.1
PYTHON_SHARE = 0.25
"""Fraction of an executor for Python workers, if most work is in Python."""
PARTITION_BYTES = 128_000_000
"""Size of a shuffle partition. Spark coalesces smaller ones, and spills much larger ones."""
MOST_PARTITIONS = 20_000
"""Maximum shuffle partitions, unless there are more cores: the driver keeps metadata about each."""


class Shape(StrEnum):
    """The main work of a job."""

    SCAN = "scan"
    """Reads, projects, filters, writes."""
    SHUFFLE = "shuffle"
    """Joins, groups or sorts most of its data."""
    PYTHON = "python"
    """Runs Python functions on the rows, in workers next to the JVM."""


@dataclass(frozen=True)
class Sizing:
    """The memory shares of a node in MiB, and the executors of the cluster."""

    instance: Instance
    count: int
    shape: Shape
    data_bytes: int | None
    system_mib: int
    daemon_heap_mib: int
    master_heap_mib: int
    driver_heap_mib: int
    driver_outside_mib: int
    """Driver memory outside the heap: its JVM's own needs and the Python process."""
    executors_per_node: int
    cores: int
    """Cores of an executor."""
    heap_mib: int
    """Heap of an executor."""
    overhead_mib: int
    """Memory of an executor's JVM outside its heap."""
    python_mib: int
    """Memory of an executor's Python workers."""

    @property
    def daemons_mib(self) -> int:
        """Memory of the primary's daemons, reserved on each node, because all have the same configuration."""
        return len(DAEMONS) * (self.daemon_heap_mib + DAEMON_NATIVE_MIB)

    @property
    def master_mib(self) -> int:
        """Memory of the application master's container, reserved on each node, because YARN chooses one."""
        return self.master_heap_mib + LEAST_OVERHEAD_MIB

    @property
    def left_mib(self) -> int:
        """Memory of a node without the system, the daemons and the application master."""
        return self.instance.memory_mib - self.system_mib - self.daemons_mib - self.master_mib

    @property
    def driver_mib(self) -> int:
        """Memory of the driver's processes on the primary."""
        return self.driver_heap_mib + self.driver_outside_mib

    @property
    def executor_mib(self) -> int:
        """Memory of an executor's container."""
        return self.heap_mib + self.overhead_mib + self.python_mib

    @property
    def yarn_mib(self) -> int:
        """Memory of a node that YARN can allocate: exactly its executors and the application master."""
        return self.executors_per_node * self.executor_mib + self.master_mib

    @property
    def yarn_vcores(self) -> int:
        """The vCPUs of a node that YARN can allocate; the application master is idle beside executors."""
        return self.executors_per_node * self.cores + 1

    @property
    def executors(self) -> int:
        """Executors of the cluster."""
        return self.count * self.executors_per_node

    @property
    def slots(self) -> int:
        """Concurrent tasks."""
        return self.executors * self.cores

    @property
    def vcpu_use(self) -> float:
        """Fraction of the cluster's vCPUs that executors use."""
        return self.slots / (self.count * self.instance.vcpus)

    @property
    def memory_use(self) -> float:
        """Fraction of the cluster's memory without daemons that executors and driver use."""
        used = self.executors * self.executor_mib + self.driver_mib
        return used / (self.count * self.left_mib)

    @property
    def shuffle_partitions(self) -> int:
        """Shuffle partitions, a multiple of the slots: at least two waves, assuming that all data moves."""
        waves = 2
        if self.shape is Shape.SHUFFLE:
            size = min(-(-(self.data_bytes or 0) // PARTITION_BYTES), MOST_PARTITIONS)
            waves = max(4, -(-size // self.slots))
        return waves * self.slots


def size(instance: Instance, count: int, data_bytes: int | None = None, shape: Shape = Shape.SCAN) -> Sizing:
    """Return the sizing of a cluster.

    Args:
        instance: type of all nodes.
        count: number of nodes, including the primary.
        data_bytes: size of the job's input; None if it is not known.
        shape: the main work of the job.

    Raises:
        UserError: there is no node, no data, or a node has no room for a driver and an executor.
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
    """Return the heap of the driver and its memory outside the heap, in MiB."""
    nodes = max(count, 2)  # a single node could provide more, but gets the driver of two
    most = MOST_IDLE_SHARE * left_mib * nodes / (nodes - 1)
    share = int(min(max(DRIVER_SHARE * left_mib, DRIVER_MIB), most))
    heap = min(max(share - _overhead(share), LEAST_HEAP_MIB), MOST_DRIVER_HEAP_MIB)
    return heap, max(LEAST_OVERHEAD_MIB, int(heap * OVERHEAD_SHARE / (1 - OVERHEAD_SHARE)))


def _overhead(total_mib: int) -> int:
    """Return the memory that a JVM needs outside its heap, from a total in MiB."""
    return max(LEAST_OVERHEAD_MIB, int(OVERHEAD_SHARE * total_mib))


def _shape_of_executors(vcpus: int, memory_mib: int) -> tuple[int, int]:
    """Return the cores of an executor and the executors per node: about five cores without idle ones."""
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
