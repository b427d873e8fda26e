"""The files of a training container: configuration, channels and artifacts."""

import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.local_aws.jobs.s3_data import download_prefix
from helpers.local_aws.s3_objects import S3Objects

_ML = Path("opt/ml")
_GROUP = "homogeneousCluster"
"""The name of the instance group of a job that defines no groups."""
MODEL_ARCHIVE, OUTPUT_ARCHIVE = "model.tar.gz", "output.tar.gz"


def write_configuration(root: Path, request: Mapping[str, Any], host: str, hosts: Sequence[str]) -> None:
    """Write the configuration files of an instance's container.

    Args:
        root: the folder that represents its `/`.
        request: the CreateTrainingJob request.
        host: the instance, such as `algo-1`.
        hosts: all instances.
    """
    folder = root / _ML / "input/config"
    folder.mkdir(parents=True)
    group = {
        "instance_group_name": _GROUP,
        "instance_type": request["ResourceConfig"]["InstanceType"],
        "hosts": list(hosts),
    }
    resources = {
        "current_host": host,
        "current_instance_type": group["instance_type"],
        "current_group_name": _GROUP,
        "hosts": list(hosts),
        "instance_groups": [group],
        "network_interface_name": "eth0",
    }
    channels = {each["ChannelName"]: _channel(each, request) for each in request.get("InputDataConfig") or []}
    for name, content in (
        ("hyperparameters", request.get("HyperParameters") or {}),
        ("inputdataconfig", channels),
        ("resourceconfig", resources),
    ):
        (folder / f"{name}.json").write_text(json.dumps(content))


def download_channels(
    objects: S3Objects, root: Path, request: Mapping[str, Any], host: str, hosts: Sequence[str]
) -> None:
    """Download the data of channels to an instance; for `ShardedByS3Key`, only its share.

    Arguments are those of `write_configuration`. Raises DataError as `download_prefix` does.
    """
    for channel in request.get("InputDataConfig") or []:
        source = channel["DataSource"]["S3DataSource"]
        sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        shard = (hosts.index(host), len(hosts)) if sharded else (0, 1)
        folder = f"/{_ML}/input/data/{channel['ChannelName']}"
        download_prefix(objects, source["S3Uri"], folder, root, shard=shard)


def pack_artifacts(roots: Sequence[Path], target: Path) -> None:
    """Write the archive of the model, and an archive of other output if there is any.

    Args:
        roots: the folders of the instances' containers; among files with the same name, that of the first
            instance is used.
        target: the output folder, which is created.
    """
    target.mkdir()
    for source, name in (("model", MODEL_ARCHIVE), ("output/data", OUTPUT_ARCHIVE)):
        found: dict[str, Path] = {}
        for root in roots:
            folder = root / _ML / source
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    found.setdefault(path.relative_to(folder).as_posix(), path)
        if found:
            with tarfile.open(target / name, "w:gz") as archive:
                for relative, path in sorted(found.items()):
                    archive.add(path, relative)


def failure_text(root: Path) -> str:
    """Return the failure message that a container has written, or an empty string."""
    file = root / _ML / "output/failure"
    return file.read_text(errors="replace").strip() if file.is_file() else ""


def _channel(channel: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, str]:
    """Return a channel for inputdataconfig.json; FastFile is treated like File."""
    source = channel["DataSource"]["S3DataSource"]
    mode = channel.get("InputMode") or request["AlgorithmSpecification"]["TrainingInputMode"]
    found = {
        "TrainingInputMode": "File" if mode == "FastFile" else mode,
        "S3DistributionType": source.get("S3DataDistributionType") or "FullyReplicated",
        "RecordWrapperType": channel.get("RecordWrapperType") or "None",
    }
    return {**found, **({"ContentType": channel["ContentType"]} if channel.get("ContentType") else {})}
