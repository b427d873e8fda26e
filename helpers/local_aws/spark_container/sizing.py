"""Scales the sizes of a job to this machine, with a sentence about each change."""

import mmap
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from helpers.errors import UserError

_RESERVED = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0x4000)
_LEAST_YOUNG_MIB = 64
DEFAULT_HEAP_MIB = 2048
"""Default heap if the job sets none; the image would use most of an instance."""

_UNITS = {"": None, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_DROPPED = (
    (r"spark\.yarn\..+", "one instance runs without YARN here"),
    (r"spark\.dynamicAllocation\..+", "the executors of this machine are started once"),
    (r"spark\.shuffle\.service\..+", "there is no NodeManager that would serve it"),
    (r"spark\.(driver|executor)\.memoryOverhead(Factor)?", "memory is not fenced in on this machine"),
    (r"spark\.kubernetes\.memoryOverheadFactor|spark\.am\..+", "one instance runs without YARN here"),
    (r"spark\.cores\.max", "it has no meaning on YARN, and here it would"),
)


@dataclass(frozen=True)
class Machine:
    """The resources of a machine."""

    vcpus: int
    memory_mib: int

    @classmethod
    def this(cls) -> "Machine":
        """Return the resources that this process may use."""
        try:
            vcpus = len(os.sched_getaffinity(0))
        except AttributeError:  # macOS
            vcpus = os.cpu_count() or 1
        memory = psutil.virtual_memory().total
        limit = Path("/sys/fs/cgroup/memory.max")  # a container's, on Linux
        if limit.is_file() and (text := limit.read_text().strip()).isdigit():
            memory = min(memory, int(text))
        return cls(vcpus, memory // 2**20)

    def __str__(self) -> str:
        return f"this machine's {self.vcpus} vCPU and {self.memory_mib / 1024:.0f} GiB"


@dataclass(frozen=True)
class LocalSizing:
    """The master, the properties, and the changes."""

    master: str
    properties: Mapping[str, str]
    messages: tuple[str, ...] = ()


def scale(
    properties: Mapping[str, str], machine: Machine, image: Mapping[str, str] | None = None
) -> LocalSizing:
    """Return how a job with one instance runs in one process, with at most half of the memory.

    Args:
        properties: the merged properties of spark-defaults.
        machine: the available resources.
        image: the sizes of the image. Without own settings, a job gets these up to what the machine has,
            without a message.

    Raises:
        UserError: a size is not valid for Spark.
    """
    sizing = _Sizing(properties, machine, image or {})
    sizing.drop()
    return sizing.on_one()


def on_yarn(properties: Mapping[str, str], machine: Machine, image: Mapping[str, str]) -> LocalSizing:
    """Return how a job with several instances runs on YARN: as on AWS, if its heaps can be reserved.

    A heap needs addresses when it is reserved, and memory when it is used.

    Args:
        properties: the merged properties of spark-defaults.
        machine: the available resources.
        image: the sizes of the image.

    Raises:
        UserError: a size is not valid for Spark.
    """
    sizing = _Sizing({**image, **properties}, machine, image)
    return sizing.on_yarn()


class _Sizing:
    """A scaling in progress."""

    def __init__(self, properties: Mapping[str, str], machine: Machine, image: Mapping[str, str]):
        self._properties = dict(properties)
        self._image = image
        self._machine = machine
        self._messages: list[str] = []

    def drop(self) -> None:
        for pattern, reason in _DROPPED:
            for name in [name for name in self._properties if re.fullmatch(pattern, name)]:
                self._messages.append(f"{name} {self._properties.pop(name)} → not used: {reason}")

    def on_one(self) -> LocalSizing:
        why = f"driver and tasks share {self._machine}"
        for name in ("instances", "cores", "memory", "pyspark.memory"):
            if (value := self._properties.pop(f"spark.executor.{name}", None)) is not None:
                self._messages.append(
                    f"spark.executor.{name} {value} → not used: one instance runs in the driver's process"
                )
        heap = self._heap("spark.driver.memory", self._machine.memory_mib // 2, why)
        self._rest(self._machine.vcpus, self._machine.vcpus, why)
        self._fill(executors=1, cores=self._machine.vcpus, heap=heap)
        return self._result(f"local[{self._machine.vcpus}]")

    def on_yarn(self) -> LocalSizing:
        for name in ("spark.driver.memory", "spark.executor.memory"):
            heap = self._mib(name) or 0
            if not can_reserve(heap):
                limit = self._machine.memory_mib // 4
                self._change(name, f"{limit}m", "this machine cannot reserve a larger heap")
                heap = limit
            self._limit_garbage(name.replace(".memory", ".defaultJavaOptions"), heap)
        return self._result("yarn")

    def _limit_garbage(self, options: str, heap: int) -> None:
        """Limit new objects to the memory that all JVMs can use; a job's own options prevail."""
        jvms = self._number("spark.executor.instances", 1) + 1
        young = max(_LEAST_YOUNG_MIB, min(heap // 3, self._machine.memory_mib // (2 * jvms)))
        self._properties[options] = f"-XX:MaxNewSize={young}m {self._properties.get(options, '')}".strip()

    def _rest(self, cores: int, slots: int, why: str) -> None:
        """Scale the settings that depend on the other sizes."""
        self._properties.pop("spark.driver.cores", None)  # has no effect in client mode, on AWS either
        driver = self._mib("spark.driver.memory") or 0
        self._cap("spark.driver.maxResultSize", driver, why)
        if "spark.task.cpus" in self._properties:
            self._change("spark.task.cpus", str(min(self._number("spark.task.cpus", 1), cores)), why)
        if "spark.default.parallelism" in self._properties:
            wanted = self._number("spark.default.parallelism", slots)
            self._change("spark.default.parallelism", str(min(wanted, 2 * slots)), why)

    def _fill(self, *, executors: int, cores: int, heap: int) -> None:
        """Add the settings that the image always sets, with values for this machine."""
        driver = self._mib("spark.driver.memory") or 0
        scaled = {
            "spark.driver.memoryOverhead": f"{driver // 10}m",
            "spark.executor.memory": f"{heap}m",
            "spark.executor.memoryOverhead": f"{heap // 10}m",
            "spark.executor.cores": str(cores),
            "spark.executor.instances": str(executors),
            "spark.default.parallelism": str(2 * cores * executors),
        }
        for name, value in scaled.items():
            if name in self._image:
                self._properties.setdefault(name, value)

    def _heap(self, name: str, limit: int, why: str) -> int:
        wanted = self._mib(name)
        if wanted is None:
            self._properties[name] = f"{min(DEFAULT_HEAP_MIB, limit)}m"
            return min(DEFAULT_HEAP_MIB, limit)
        if wanted > limit:
            self._change(name, f"{limit}m", why)
        return min(wanted, limit)

    def _cap(self, name: str, limit: int, why: str) -> int:
        """Limit an optional size; a missing value (or 0, which means no limit in Spark) stays."""
        wanted = self._mib(name) or 0
        if wanted > limit:
            self._change(name, f"{limit}m", why)
        return min(wanted, limit)

    def _change(self, name: str, value: str, why: str) -> None:
        before = self._properties.get(name)
        self._properties[name] = value
        if before is not None and before != value:
            self._messages.append(f"{name} {before} → {value}: {why}")

    def _number(self, name: str, default: int) -> int:
        text = self._properties.get(name, str(default))
        if not re.fullmatch(r"[0-9]+", text) or int(text) < 1:
            raise UserError(f"spark-defaults: {name} is {text!r}", hint="Set it to a number from 1")
        return int(text)

    def _mib(self, name: str) -> int | None:
        text = self._properties.get(name)
        return None if text is None else mebibytes(name, text)

    def _result(self, master: str) -> LocalSizing:
        return LocalSizing(master, self._properties, tuple(self._messages))


def can_reserve(mib: int) -> bool:
    """Return whether a process can reserve the addresses of a heap, which needs no memory."""
    try:
        mmap.mmap(-1, max(mib, 1) << 20, flags=_RESERVED, prot=mmap.PROT_READ).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True


def mebibytes(name: str, text: str) -> int:
    """Return a size in MiB as Spark reads it, rounded up.

    A number without a unit is MiB; for results and off-heap memory, it is bytes.

    Raises:
        UserError: the size is not valid for Spark.
    """
    match = re.fullmatch(r"([0-9]+)([a-z]?)b?", text.strip().lower())
    unit = match[2] if match else "?"
    if match is None or unit not in _UNITS:
        raise UserError(f"spark-defaults: {name} is {text!r}", hint="Set it to a size, as 10g or 512m")
    power = _UNITS[unit]
    if power is None:
        power = 0 if name.endswith(("maxResultSize", "offHeap.size")) or "b" in text.lower() else 2
    return -(-int(match[1]) * (1 << 10 * power) // (1 << 20))
