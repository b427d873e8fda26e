"""Common code of the Spark jobs: runs and their report, failures, files, and `ingestion` of text.

Handed to spark-submit with `--py-files etl.zip`. Needs pyspark; S3 needs boto3, which the image has, and
`ingestion` needs Polars, which is a package of the step.
"""
