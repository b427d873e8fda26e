"""One builder for each kind of pipeline step."""
