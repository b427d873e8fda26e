"""Processing jobs: data in, a container, data out, and the log."""
