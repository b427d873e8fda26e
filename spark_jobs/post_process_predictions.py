r"""Publish the predictions of the Abalone model with their keys, unless features or predictions have drifted.

spark-submit --py-files etl.zip,model_quality.zip,process_pyspark.py,abalone_model.py \
    post_process_predictions.py --predictions URI --baseline URI --predicted URI
"""

from __future__ import annotations

from abalone_model import DATA
from model_quality.post_processing import main

if __name__ == "__main__":
    main(DATA)
