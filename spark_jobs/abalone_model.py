"""What the model of Abalone predicts: the rings, which show the age, from the sex and all measures."""

from __future__ import annotations

from etl.ingestion.fields import Integer
from model_quality.data import ModelData
from process_pyspark import ABALONE

DATA = ModelData(
    fields=ABALONE.fields,
    label="rings",
    key=Integer("id", minimum=1, bits=64),
    slices=("sex",),
)
