r"""Prepare the scoring data of the Abalone model.

spark-submit --py-files etl.zip,model_quality.zip,process_pyspark.py,abalone_model.py \
    prepare_scoring_data.py --input_table URI --baseline URI --scoring_data URI
"""

from __future__ import annotations

from abalone_model import DATA
from model_quality.scoring_data import main

if __name__ == "__main__":
    main(DATA)
