"""Compares a registered pipeline with the history of upserts, and with this checkout."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ml_pipeline.definitions import Registration
from ml_pipeline.executions.target import Target
from ml_pipeline.releases.history import Entry
from ml_pipeline.releases.registration import difference

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class PipelineDrift:
    """The drift of a pipeline, as lines of unified diffs."""

    name: str
    by_hand: tuple[str, ...] = ()
    """The diff from the registered pipeline to the latest recorded upsert."""
    not_upserted: tuple[str, ...] = ()
    """The diff from the registered pipeline to this checkout."""
    note: str = ""

    def __bool__(self) -> bool:
        """Return whether there is any drift."""
        return bool(self.by_hand or self.not_upserted)


def pipeline_drift(
    name: str, there: Registration | None, newest: Entry | None, checkout: Registration
) -> PipelineDrift:
    """Return the drift of a pipeline.

    Args:
        name: the name of the pipeline.
        there: the registered pipeline, if it exists.
        newest: the record of the latest upsert, if there is one.
        checkout: the pipeline as this checkout would register it.
    """
    not_upserted = tuple(difference(there, checkout))
    if there is None:
        gone = (f"version {newest.version} was upserted, and then deleted",) if newest else ()
        return PipelineDrift(name, gone, not_upserted, "it is not registered")
    if newest is None:
        return PipelineDrift(name, ("it is registered, and no upsert is recorded",), not_upserted)
    by_hand = tuple(difference(there, newest.registration, f"version {newest.version}"))
    back = (
        f"version {newest.version} is a rollback to {newest.rolled_back_to}" if newest.rolled_back_to else ""
    )
    return PipelineDrift(name, by_hand, not_upserted, back)


def as_document(drift: PipelineDrift) -> dict[str, Any]:
    """Return the drift as a JSON document."""
    return {"drifted": bool(drift), **asdict(drift)}


def lines(drift: PipelineDrift, target: Target) -> "Iterator[str]":
    """Yield the drift as lines of text.

    Args:
        drift: the drift of a pipeline.
        target: the pipeline, for the command that corrects the drift.
    """
    if drift.by_hand:
        yield f"{drift.name} was changed by hand:"
        yield from drift.by_hand
    if drift.not_upserted:
        yield f"{drift.name} differs from this checkout:"
        yield from drift.not_upserted
    note = f" ({drift.note})" if drift.note else ""
    if drift:
        yield (
            f"{target.environment}: drift in the pipeline {drift.name}{note}. "
            f"Upsert it with: {target.command('upsert')}"
        )
    else:
        yield f"{target.environment}: no drift in the pipeline {drift.name}{note}."
