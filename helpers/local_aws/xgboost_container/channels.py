"""The channels of a training job: their names and content types."""

from collections.abc import Mapping
from typing import Any

from helpers.local_aws.xgboost_container.errors import UserError

CSV, LIBSVM, PARQUET, RECORDIO = "csv", "libsvm", "parquet", "recordio-protobuf"
CONTENT_TYPES: Mapping[str, str] = {
    **{name: name for name in (CSV, LIBSVM, PARQUET, RECORDIO)},
    "text/csv": CSV,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "application/x-parquet": PARQUET,
    "application/x-recordio-protobuf": RECORDIO,
}
"""The formats by ContentType of a channel."""
_DEFAULT = "text/libsvm"


def data_format(channels: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the format of the channels in inputdataconfig.json, which is that of the channel `train`.

    Raises:
        UserError: a channel is missing, is not supported, or has another content type.
    """
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name, channel in channels.items():
        if name not in {"train", "validation"}:
            raise UserError(f"Extraneous channel found: {name}")
        if channel.get("ContentType", _DEFAULT) not in CONTENT_TYPES:
            raise UserError(f"Channel configuration for '{name}' channel is not supported: {dict(channel)}")
    return CONTENT_TYPES[channels["train"].get("ContentType", _DEFAULT)]


def content_format(content_type: str | None) -> str:
    """Return the format of a request to the server from its content type.

    Raises:
        UserError: the content type is not supported.
    """
    media_type, *parameters = [part.strip() for part in (content_type or LIBSVM).lower().split(";")]
    if media_type not in CONTENT_TYPES:
        accepted = ", ".join(CONTENT_TYPES)
        raise UserError(f"{content_type} is not an accepted ContentType: {accepted}.")
    sizes = [each.partition("=")[2] for each in parameters if each.startswith("label_size=")]
    if CONTENT_TYPES[media_type] == CSV and sizes not in ([], ["1"]):
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. "
            "Optional parameter label_size must be equal to 1"
        )
    return CONTENT_TYPES[media_type]
