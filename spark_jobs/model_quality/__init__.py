"""What the jobs around a model share: training and scoring data, statistics, evaluation, drift.

Handed to spark-submit with `--py-files etl.zip,model_quality.zip`. Needs what `etl.ingestion` needs;
`boosters` needs xgboost, which a step brings along.
"""
