"""statistics.json and constraints.json in the schema of SageMaker Model Monitor, and their statistics.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html and
…/model-monitor-byoc-constraints.html. A bucket includes its lower bound but not its upper bound, except the
last bucket, which includes both. Buckets have about equal numbers of values, which makes distances most
informative.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Mapping, Union

import numpy as np
from etl.errors import JobError

from model_quality.distribution import Numbers, Texts, numbers_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from model_quality.columns import Column

BUCKETS = 10


@dataclass(frozen=True)
class Statistics:
    """The distribution of each column of some rows by name, and the number of rows."""

    rows: int
    columns: Mapping[str, Union[Numbers, Texts]]

    def __add__(self, other: Statistics) -> Statistics:
        columns: dict[str, Any] = self.columns  # type: ignore[assignment]  # both have the same kind
        both = {name: found + other.columns[name] for name, found in columns.items()}
        return Statistics(self.rows + other.rows, both)


def statistics_of(rows: pl.DataFrame, columns: Sequence[Column]) -> Statistics:
    """Return the statistics of the columns of some rows."""
    found = {
        column.name: texts_of(rows[column.name], column.choices)
        if column.choices
        else numbers_of(rows[column.name])
        for column in columns
    }
    return Statistics(len(rows), found)


@dataclass(frozen=True)
class Baseline:
    """A column as described in statistics.json."""

    name: str
    missing: int
    present: int
    counts: tuple[int, ...]
    """Counts of values by bucket, or by text."""
    edges: tuple[float, ...] = ()
    """Edges between buckets; empty for texts."""
    texts: tuple[str, ...] = ()
    """The texts of a text column."""


def statistics_json(statistics: Statistics, columns: Sequence[Column]) -> str:
    """Return the content of statistics.json."""
    features = [_described(column, statistics.columns[column.name]) for column in columns]
    content = {"version": 0.0, "dataset": {"item_count": statistics.rows}, "features": features}
    return json.dumps(content, indent=1) + "\n"


def _described(column: Column, found: Union[Numbers, Texts]) -> dict[str, Any]:
    common = {"num_present": found.present, "num_missing": found.missing}
    if isinstance(found, Texts):
        buckets = [{"value": value, "count": count} for value, count in found.counts.items()]
        distribution = {"categorical": {"buckets": buckets}}
        strings = {"common": common, "distinct_count": len(buckets), "distribution": distribution}
        return {"name": column.name, "inferred_type": _type_of(column), "string_statistics": strings}
    numerical: dict[str, Any] = {"common": common}
    if found.present:
        numerical |= {
            "mean": found.mean,
            "sum": found.mean * found.present,
            "std_dev": math.sqrt(found.squares / found.present),
            "min": found.minimum,
            "max": found.maximum,
            "distribution": {"kll": {"buckets": _buckets(found)}},
        }
    return {"name": column.name, "inferred_type": _type_of(column), "numerical_statistics": numerical}


def _buckets(found: Numbers) -> list[dict[str, Any]]:
    edges = found.cells.edges(BUCKETS)
    bounds = [found.minimum, *edges.tolist(), found.maximum]
    return [
        {"lower_bound": lower, "upper_bound": upper, "count": count}
        for (lower, upper), count in zip(pairwise(bounds), found.cells.between(edges).tolist(), strict=True)
    ]


def _type_of(column: Column) -> str:
    return "String" if column.choices else "Integral" if column.integral else "Fractional"


def constraints_json(statistics: Statistics, columns: Sequence[Column]) -> str:
    """Return the content of constraints.json: properties that all rows of the statistics have."""
    features = [_constrained(column, statistics.columns[column.name]) for column in columns]
    return json.dumps({"version": 0.0, "features": features, "monitoring_config": _CONFIG}, indent=1) + "\n"


def _constrained(column: Column, found: Union[Numbers, Texts]) -> dict[str, Any]:
    rows = found.present + found.missing
    constraint: dict[str, Any] = (
        {"string_constraints": {"domains": list(found.counts)}}
        if isinstance(found, Texts)
        else {"num_constraints": {"is_non_negative": found.minimum >= 0}}
    )
    completeness = found.present / rows if rows else 0.0
    return {
        "name": column.name,
        "inferred_type": _type_of(column),
        "completeness": completeness,
        **constraint,
    }


_CONFIG = {
    "evaluate_constraints": "Enabled",
    "emit_metrics": "Enabled",
    "datatype_check_threshold": 1.0,
    "domain_content_threshold": 1.0,
    "distribution_constraints": {
        "perform_comparison": "Enabled",
        "comparison_threshold": 0.1,
        "comparison_method": "Robust",
    },
}
"""The defaults of Model Monitor."""


def with_statistics_of(column: Column, found: Numbers, text: str, uri: str) -> str:
    """Return the content of a statistics.json with an added column.

    Args:
        column: the added column.
        found: its distribution.
        text: content of statistics.json.
        uri: URI of its folder.

    Raises:
        JobError: the file is missing.
    """
    return _with_feature(text, _described(column, found), f"{uri}/statistics.json")


def with_constraints_of(column: Column, found: Numbers, text: str, uri: str) -> str:
    """Return the content of a constraints.json with an added column; see `with_statistics_of`."""
    return _with_feature(text, _constrained(column, found), f"{uri}/constraints.json")


def _with_feature(text: str, feature: Mapping[str, Any], uri: str) -> str:
    if not text:
        raise JobError(f"there is no {uri}: name the run of prepare_training_data.py")
    content = json.loads(text)
    content["features"].append(feature)
    return json.dumps(content, indent=1) + "\n"


def read_statistics(text: str, uri: str) -> dict[str, Baseline]:
    """Return the columns of a statistics.json by name.

    Raises:
        JobError: the file is missing or not valid.
    """
    if not text:
        raise JobError(f"there is no {uri}: the model package has no baseline; train and register it again")
    try:
        return {each["name"]: _baseline(each) for each in json.loads(text)["features"]}
    except (ValueError, LookupError, TypeError) as error:
        raise JobError(
            f"{uri} has no statistics in the schema of Model Monitor ({type(error).__name__}: {error}): "
            "train and register the model again"
        ) from error


def _baseline(feature: Mapping[str, Any]) -> Baseline:
    found = feature.get("string_statistics") or feature["numerical_statistics"]
    common = found["common"]["num_missing"], found["common"]["num_present"]
    if "string_statistics" in feature:
        texts = found["distribution"]["categorical"]["buckets"]
        counts = _counts(texts, common[1])
        return Baseline(feature["name"], *common, counts, texts=tuple(each["value"] for each in texts))
    buckets = found["distribution"]["kll"]["buckets"] if common[1] else []
    edges = tuple(each["lower_bound"] for each in buckets[1:])
    return Baseline(feature["name"], *common, _counts(buckets, common[1]), edges)


def _counts(buckets: Sequence[Mapping[str, Any]], present: int) -> tuple[int, ...]:
    """Return the counts of valid buckets; with others, distances would be NaN or 0 and exceed no limit."""
    counts = tuple(each["count"] for each in buckets)
    if not all(0 <= count < math.inf for count in (*counts, present)) or (present and not any(counts)):
        raise ValueError(f"counts of {present} values: {', '.join(map(str, counts)) or 'none'}")
    return counts


def counts_like(baseline: Baseline, found: Union[Numbers, Texts]) -> tuple[int, ...]:
    """Return counts for the buckets or texts of a baseline; the last one counts unknown texts."""
    if isinstance(found, Texts):
        known = tuple(found.counts.get(text, 0) for text in baseline.texts)
        return (*known, found.present - sum(known))
    return tuple(found.cells.between(np.array(baseline.edges)).tolist())
