"""The layout of a package folder in S3 and in containers."""

MANIFEST = "packages.json"
"""The list of files in the folder, written last: if it exists, the folder is complete."""
PYTHON = "python"
"""The folder for PYTHONPATH."""
JARS = "jars"
