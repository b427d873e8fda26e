"""Infrastructure, the embedded AWS, and shared definitions that the pipelines are based on."""
