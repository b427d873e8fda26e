"""Common code of the jobs of a model: training and scoring data, statistics, evaluation, drift.

Passed to spark-submit with `--py-files etl.zip,model_quality.zip`. Has the same requirements as
`etl.ingestion`; `boosters` also needs xgboost, which a step adds as a package.
"""
