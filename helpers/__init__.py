"""What the pipelines stand on: infrastructure, the embedded AWS, shared definitions."""
