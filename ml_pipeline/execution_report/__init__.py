"""The report of an execution: collects data from AWS into a model, and renders the model as an HTML page."""
