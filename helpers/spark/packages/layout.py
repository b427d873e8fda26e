"""How a folder of packages is laid out, in S3 and in containers."""

MANIFEST = "packages.json"
"""What is in the folder; written last, so that where it is, everything is."""
PYTHON = "python"
"""The folder for PYTHONPATH."""
JARS = "jars"
