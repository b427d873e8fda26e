"""Endpoints: servers of models that answer InvokeEndpoint, and their configurations."""
