"""The boosters of a model.tar.gz, as SageMaker's built-in XGBoost writes it, and their predictions."""

from __future__ import annotations

import hashlib
import io
import tarfile
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from etl.errors import JobError

if TYPE_CHECKING:
    from etl.storage import Storage

AGREEMENT = 1e-4
"""Maximum relative difference of a model's predictions: processors add 32-bit numbers in different orders."""


class Artifact(NamedTuple):
    """The model in a model.tar.gz."""

    uri: str
    booster: bytes

    @property
    def digest(self) -> str:
        """A hash of the model, independent of its archive."""
        return hashlib.sha256(self.booster).hexdigest()


def read_artifact(files: Storage, uri: str, named_by: str) -> Artifact:
    """Return the model of an artifact.

    Args:
        files: storage of the artifact.
        uri: URI of the model.tar.gz.
        named_by: the option with the URI, for messages.

    Raises:
        JobError: the artifact does not exist, or does not contain exactly one booster.
    """
    found = next(iter(files.files(uri)), None)
    if found is None:
        raise JobError(f"{named_by}: there is no {uri}: name a model whose artifact exists, or none")
    content = files.read(found, 0, found.size)
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
            members = [each for each in archive.getmembers() if each.isfile()]
            streams = [archive.extractfile(each) for each in members]
            boosters = [stream.read() for stream in streams if stream]
    except (tarfile.TarError, EOFError, OSError) as error:
        raise JobError(
            f"{named_by}: {uri} is not a model.tar.gz ({type(error).__name__}: {error})"
        ) from error
    if len(boosters) != 1:
        names = ", ".join(each.name for each in members) or "nothing"
        raise JobError(f"{named_by}: {uri} has {names}; expected one booster of the built-in XGBoost")
    return Artifact(uri, boosters[0])


@lru_cache(maxsize=4)
def _loaded(booster: bytes) -> Any:
    """Return a booster, loaded once per process."""
    import xgboost  # noqa: PLC0415 - only the evaluation has it as a package

    loaded = xgboost.Booster()
    loaded.load_model(bytearray(booster))
    loaded.set_param("nthread", 1)  # a task has one core
    return loaded


def predict(artifact: Artifact, rows: Any) -> Any:
    """Return a prediction for each row as float64.

    Args:
        artifact: the model.
        rows: an array of encoded features; NaN for missing values.

    Raises:
        JobError: the model expects other features, or is not valid.
    """
    import xgboost  # noqa: PLC0415

    try:
        booster = _loaded(artifact.booster)
        if booster.num_features() > rows.shape[1]:  # XGBoost would read absent columns as missing values
            raise JobError(
                f"{artifact.uri} was trained on {booster.num_features()} features, and rows have "
                f"{rows.shape[1]}: reject that model, or evaluate with --champion_model_data_url none"
            )
        # Features of a booster have no names if it was trained on CSV.
        predictions = booster.predict(xgboost.DMatrix(rows), validate_features=False)
    except xgboost.core.XGBoostError as error:
        message = " ".join(str(error).partition("Stack trace:")[0].split())
        raise JobError(f"{artifact.uri} cannot score rows of {rows.shape[1]} features: {message}") from error
    return predictions.astype(float)
