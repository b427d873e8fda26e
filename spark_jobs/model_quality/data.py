"""The declaration of a model's data: its fields, their roles, and slices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from etl.errors import JobError
from etl.ingestion.table import Table

from model_quality.columns import BINARY, REGRESSION, Columns, column_of

if TYPE_CHECKING:
    from etl.ingestion.table import AnyField


@dataclass(frozen=True)
class ModelData:
    """The data of a model.

    Attributes:
        fields: the fields of a row of training data, in order.
        label: the predicted field, which is required. For two classes, it is a String with two choices, and
            the model predicts the probability of the second. Otherwise, it is a number.
        key: the first field of scoring data, before the features, which is published with the prediction.
        ignored: fields that are neither label nor feature.
        slices: features with choices; the model is evaluated separately for each value.
    """

    fields: tuple[AnyField, ...]
    label: str
    key: AnyField
    ignored: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()

    @cached_property
    def training_table(self) -> Table:
        """The table of training data."""
        return Table(fields=self.fields)

    @cached_property
    def scoring_table(self) -> Table:
        """The table of scoring data: the key and the features."""
        left = {self.label, *self.ignored}
        return Table(fields=(self.key, *(field for field in self.fields if field.name not in left)))

    @cached_property
    def columns(self) -> Columns:
        """The columns of the model.

        Raises:
            JobError: the label or a feature cannot be part of a model.
        """
        by_name = {field.name: field for field in self.fields}
        label = by_name.get(self.label)
        if label is None or not label.required:
            missing = "is not a field" if label is None else "may be missing"
            raise JobError(f"label {self.label} {missing}: declare a field of this name with required=True")
        target = column_of(label)
        if target.choices and len(target.choices) != 2:
            raise JobError(f"label {self.label}: declare two choices, or a number, not {target.choices}")
        features = tuple(map(column_of, self.scoring_table.fields[1:]))
        with_choices = [each.name for each in features if each.choices]
        if wrong := [name for name in self.slices if name not in with_choices]:
            raise JobError(
                f"slices: {wrong[0]} is not a feature with choices: name one of "
                f"{', '.join(with_choices) or 'none'} in ModelData, or remove it"
            )
        return Columns(BINARY if target.choices else REGRESSION, target, features)
