"""Specifications of processing instances; `python -m helpers.spark.instances` writes the data file."""

import gzip
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import botocore.session

from helpers.errors import UserError
from helpers.files import write_atomically

INSTANCES = Path(__file__).with_name("instances.json")


@dataclass(frozen=True, order=True)
class Instance:
    """The specification of an instance type."""

    vcpus: int
    memory_mib: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.vcpus} vCPU, {self.memory_mib:,} MiB)"


@cache
def _document() -> Mapping[str, Any]:
    return dict(json.loads(INSTANCES.read_bytes()))


@cache
def instances() -> Mapping[str, Instance]:
    """Return all processing instance types with a known specification, by name."""
    return {
        name: Instance(vcpus, memory_mib, name)
        for name, (vcpus, memory_mib) in _document()["vcpus_and_memory_mib"].items()
    }


def instance(name: str) -> Instance:
    """Return an instance type by name, such as `ml.m5.xlarge`.

    Raises:
        UserError: SageMaker Processing does not have the type, or its specification is not known.
    """
    if found := instances().get(name):
        return found
    if name in _document()["without_specification"]:
        raise UserError(
            f"{name}: EC2 no longer lists its vCPUs and memory, so it cannot be sized",
            hint="Use a current type, as ml.m5.xlarge",
        )
    family = [other for other in instances() if other.startswith(name.rsplit(".", 1)[0] + ".")]
    raise UserError(
        f"{name!r} is not an instance type of SageMaker Processing",
        hint=f"Name one, as {', '.join(family) if family else 'ml.m5.xlarge'}",
    )


def specifications() -> dict[str, Any]:
    """Return the data file: botocore's processing instance types with moto's specifications of EC2."""
    package = find_spec("moto")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("moto with its instance types is not installed")
    source = Path(package.origin).parent / "ec2" / "resources" / "instance_types.json.gz"
    ec2 = json.loads(gzip.decompress(source.read_bytes()))
    names = botocore.session.get_session().get_service_model("sagemaker").shape_for("ProcessingInstanceType")
    known = [name for name in names.metadata["enum"] if name.removeprefix("ml.") in ec2]
    found = {
        name: [description["VCpuInfo"]["DefaultVCpus"], description["MemoryInfo"]["SizeInMiB"]]
        for name in known
        for description in [ec2[name.removeprefix("ml.")]]
    }
    return {
        "source": f"names: ProcessingInstanceType of botocore {version('botocore')}; specifications: "
        f"{source.name} of moto {version('moto')}, which AWS's DescribeInstanceTypes answered",
        "vcpus_and_memory_mib": dict(
            sorted(found.items(), key=lambda item: (item[0].split(".")[1], item[1]))
        ),
        "without_specification": sorted(set(names.metadata["enum"]) - set(found)),
    }


def _main() -> int:
    lines = json.dumps(specifications(), indent=2).replace("[\n      ", "[").replace(",\n      ", ", ")
    write_atomically(INSTANCES, lines.replace("\n    ]", "]") + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
