"""Sizes that are meant for a cluster, scaled to this machine, with a sentence on each change."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from helpers.errors import UserError

MIN_EXECUTOR_MIB = 1024
DEFAULT_HEAP_MIB = 2048
"""Heap where the job asks for none: the image would give it most of an instance."""

_UNITS = {"": None, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_DROPPED = (
    (r"spark\.yarn\..+", "YARN does not run here"),
    (r"spark\.dynamicAllocation\..+", "the executors of this machine are started once"),
    (r"spark\.shuffle\.service\..+", "there is no NodeManager that would serve it"),
    (r"spark\.(driver|executor)\.memoryOverhead(Factor)?", "memory is not fenced in on this machine"),
    (r"spark\.kubernetes\.memoryOverheadFactor|spark\.am\..+", "YARN does not run here"),
    (r"spark\.cores\.max", "it has no meaning on YARN, and here it would"),
)


@dataclass(frozen=True)
class Machine:
    """What a machine has to give."""

    vcpus: int
    memory_mib: int

    @classmethod
    def this(cls) -> "Machine":
        """Return the machine, or the part of it, that this process may use."""
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
    """The master to run on, the properties to run with, and what was changed."""

    master: str
    properties: Mapping[str, str]
    sentences: tuple[str, ...] = ()


def scale(
    properties: Mapping[str, str],
    instances: int,
    machine: Machine,
    image: Mapping[str, str] | None = None,
) -> LocalSizing:
    """Return how a job that is meant for a number of instances runs on one machine.

    One instance becomes `local`. More become real executor processes, at least two, which share half of
    the memory; the driver gets at most a quarter.

    Args:
        properties: the merged properties of spark-defaults.
        instances: the instances of the job.
        machine: what there is.
        image: the sizes that the image gives a job; where the job has none of its own it gets as much of
            them as the machine has, in silence.

    Raises:
        UserError: a size that Spark could not read either, or a machine too small for two executors.
    """
    sizing = _Sizing(properties, machine, image or {})
    sizing.drop()
    return sizing.on_one() if instances == 1 else sizing.on_many(instances)


class _Sizing:
    """One scaling in progress."""

    def __init__(self, properties: Mapping[str, str], machine: Machine, image: Mapping[str, str]):
        self._properties = dict(properties)
        self._image = image
        self._machine = machine
        self._sentences: list[str] = []

    def drop(self) -> None:
        for pattern, reason in _DROPPED:
            for name in [name for name in self._properties if re.fullmatch(pattern, name)]:
                self._sentences.append(f"{name} {self._properties.pop(name)} → not used: {reason}")

    def on_one(self) -> LocalSizing:
        why = f"driver and tasks share {self._machine}"
        for name in ("instances", "cores", "memory", "pyspark.memory"):
            if (value := self._properties.pop(f"spark.executor.{name}", None)) is not None:
                self._sentences.append(
                    f"spark.executor.{name} {value} → not used: one instance runs in the driver's process"
                )
        heap = self._heap("spark.driver.memory", self._machine.memory_mib // 2, why)
        self._rest(self._machine.vcpus, self._machine.vcpus, why)
        self._fill(executors=1, cores=self._machine.vcpus, heap=heap)
        return self._result(f"local[{self._machine.vcpus}]")

    def on_many(self, instances: int) -> LocalSizing:
        budget = self._machine.memory_mib // 2
        executors = max(2, min(instances, self._machine.vcpus, budget // MIN_EXECUTOR_MIB))
        share = budget // executors
        if share < MIN_EXECUTOR_MIB:
            raise UserError(
                f"{executors} executors of {MIN_EXECUTOR_MIB} MiB each do not fit into "
                f"half of {self._machine}: run the job with one instance here, or on a larger machine"
            )
        why = f"{executors} executors share {self._machine}"
        cores = max(1, self._machine.vcpus // executors)
        cores = min(self._number("spark.executor.cores", cores), cores)
        self._change("spark.executor.cores", str(cores), why)
        wanted = self._number("spark.executor.instances", instances)
        if "spark.executor.instances" in self._properties or wanted != executors:
            self._properties.setdefault("spark.executor.instances", str(wanted))
            self._change("spark.executor.instances", str(executors), why)
        extra = 0
        for name in ("spark.executor.pyspark.memory", "spark.memory.offHeap.size"):
            extra += self._cap(name, share // 4, why)
        heap = self._heap("spark.executor.memory", share - extra, why)
        self._heap("spark.driver.memory", self._machine.memory_mib // 4, why)
        self._rest(cores, cores * executors, why)
        self._fill(executors=executors, cores=cores, heap=heap)
        return self._result(f"local-cluster[{executors},{cores},{heap}]")

    def _rest(self, cores: int, slots: int, why: str) -> None:
        """Scale what depends on the sizes of the others."""
        self._properties.pop("spark.driver.cores", None)  # nothing in client mode, there as here
        driver = self._mib("spark.driver.memory") or 0
        self._cap("spark.driver.maxResultSize", driver, why)
        if "spark.task.cpus" in self._properties:
            self._change("spark.task.cpus", str(min(self._number("spark.task.cpus", 1), cores)), why)
        if "spark.default.parallelism" in self._properties:
            wanted = self._number("spark.default.parallelism", slots)
            self._change("spark.default.parallelism", str(min(wanted, 2 * slots)), why)

    def _fill(self, *, executors: int, cores: int, heap: int) -> None:
        """Add what the image always sets, with the values that hold on this machine."""
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
        """Limit a size that the job may leave out; nothing (or 0, which Spark takes as no limit) stays."""
        wanted = self._mib(name) or 0
        if wanted > limit:
            self._change(name, f"{limit}m", why)
        return min(wanted, limit)

    def _change(self, name: str, value: str, why: str) -> None:
        before = self._properties.get(name)
        self._properties[name] = value
        if before is not None and before != value:
            self._sentences.append(f"{name} {before} → {value}: {why}")

    def _number(self, name: str, default: int) -> int:
        text = self._properties.get(name, str(default))
        if not re.fullmatch(r"[0-9]+", text) or int(text) < 1:
            raise UserError(f"spark-defaults: {name} must be a number from 1, not {text!r}")
        return int(text)

    def _mib(self, name: str) -> int | None:
        text = self._properties.get(name)
        return None if text is None else mebibytes(name, text)

    def _result(self, master: str) -> LocalSizing:
        return LocalSizing(master, self._properties, tuple(self._sentences))


def mebibytes(name: str, text: str) -> int:
    """Return a size as Spark reads it, in MiB rounded up.

    A bare number is MiB, for results and off-heap memory bytes.

    Raises:
        UserError: Spark would not read it.
    """
    match = re.fullmatch(r"([0-9]+)([a-z]?)b?", text.strip().lower())
    unit = match[2] if match else "?"
    if match is None or unit not in _UNITS:
        raise UserError(f"spark-defaults: {name} must be a size such as 10g or 512m, not {text!r}")
    power = _UNITS[unit]
    if power is None:
        power = 0 if name.endswith(("maxResultSize", "offHeap.size")) or "b" in text.lower() else 2
    return -(-int(match[1]) * (1 << 10 * power) // (1 << 20))
