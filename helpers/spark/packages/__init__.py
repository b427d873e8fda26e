"""Python packages and jars of a Spark job, locked for the image."""
