r"""Prepare training, validation and test data of the Abalone model, and the baseline for drift.

spark-submit --py-files etl.zip,model_quality.zip,process_pyspark.py,abalone_model.py \
    prepare_training_data.py --input_table URI --training_data URI
"""

from __future__ import annotations

from abalone_model import DATA
from model_quality.training_data import main

if __name__ == "__main__":
    main(DATA)
