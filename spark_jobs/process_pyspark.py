"""Validate the Abalone CSV files, quarantine invalid rows, and write four columns as Parquet and CSV.

spark-submit --py-files data_utils.py,etl.zip process_pyspark.py --input_table URI --output_table URI
"""

from __future__ import annotations

from etl.ingestion.fields import Double, Integer, String
from etl.ingestion.job import main
from etl.ingestion.table import Table

MEASURES = (
    "length",
    "diameter",
    "height",
    "whole_weight",
    "shucked_weight",
    "viscera_weight",
    "shell_weight",
)
ABALONE = Table(
    fields=(
        String("sex", choices=("M", "F", "I")),
        *(Double(name, minimum=0) for name in MEASURES),
        Integer("rings", minimum=0),
    ),
    columns=("sex", "length", "diameter", "rings"),
    formats=("parquet", "csv"),
)

if __name__ == "__main__":
    main(ABALONE, "process_pyspark")
