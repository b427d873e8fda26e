"""Creates the files of new pipelines and steps: initial code with a passing test."""
