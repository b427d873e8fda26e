r"""Evaluate the Abalone model on test data, in total and by sex, and compare it with the approved model.

spark-submit --py-files etl.zip,model_quality.zip,process_pyspark.py,abalone_model.py \
    evaluate_model.py --predictions URI --training_data URI --model_data_url URI --evaluation URI \
    --metric rmse --limit 2.5
"""

from __future__ import annotations

from abalone_model import DATA
from model_quality.evaluation import main

if __name__ == "__main__":
    main(DATA)
