"""Training jobs: channels in, an algorithm, artifacts out, metrics from the log."""
