"""Common code of Spark jobs: runs and their reports, error messages, storage, and the ingestion of text.

Passed to spark-submit with `--py-files etl.zip`. S3 requires boto3, which the image contains. `ingestion`
requires Polars, which a step adds as a package.
"""
