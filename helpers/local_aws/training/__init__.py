"""Training jobs: input channels, an algorithm, model artifacts, and metrics from the log."""
