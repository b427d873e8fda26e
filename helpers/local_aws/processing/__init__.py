"""Processing jobs: input data, a container, output data, and the log."""
