"""The files of a training container: its configuration, its channels and its artifacts."""

import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.local_aws.jobs.s3_data import download_prefix

_ML = Path("opt/ml")
MODEL_ARCHIVE, OUTPUT_ARCHIVE = "model.tar.gz", "output.tar.gz"


def write_configuration(root: Path, request: Mapping[str, Any]) -> None:
    """Write what a container reads about its job, below the folder that stands for its `/`."""
    folder = root / _ML / "input/config"
    folder.mkdir(parents=True)
    resources = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
    channels = {each["ChannelName"]: _channel(each, request) for each in request.get("InputDataConfig") or []}
    for name, content in (
        ("hyperparameters", request.get("HyperParameters") or {}),
        ("inputdataconfig", channels),
        ("resourceconfig", resources),
    ):
        (folder / f"{name}.json").write_text(json.dumps(content))


def download_channels(s3: Any, root: Path, request: Mapping[str, Any]) -> None:
    """Bring the channels' data; raises DataError as `download_prefix` does."""
    for channel in request.get("InputDataConfig") or []:
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        download_prefix(s3, uri, f"/{_ML}/input/data/{channel['ChannelName']}", root)


def pack_artifacts(root: Path) -> Path:
    """Return a new folder with the archive of the model, and that of other output where there is any."""
    target = root / "artifacts"
    target.mkdir()
    for source, name in (("model", MODEL_ARCHIVE), ("output/data", OUTPUT_ARCHIVE)):
        folder = root / _ML / source
        if any(folder.rglob("*")):
            with tarfile.open(target / name, "w:gz") as archive:
                for path in sorted(folder.iterdir()):
                    archive.add(path, path.name)
    return target


def _channel(channel: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, str]:
    """Return a channel of inputdataconfig.json; a FastFile channel is one of files, too."""
    source = channel["DataSource"]["S3DataSource"]
    mode = channel.get("InputMode") or request["AlgorithmSpecification"]["TrainingInputMode"]
    found = {
        "TrainingInputMode": "File" if mode == "FastFile" else mode,
        "S3DistributionType": source.get("S3DataDistributionType") or "FullyReplicated",
        "RecordWrapperType": channel.get("RecordWrapperType") or "None",
    }
    return {**found, **({"ContentType": channel["ContentType"]} if channel.get("ContentType") else {})}
