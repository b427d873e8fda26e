"""The data of the Abalone model. It predicts the rings, which indicate the age, from sex and measures."""

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
