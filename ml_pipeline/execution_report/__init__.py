"""The report of an execution: collected from AWS into a model, and rendered as one HTML page."""
