"""Python packages and jars that a Spark job brings along, locked for the image."""
