"""The pipeline: its parameters, its definition, and the commands that run it."""
