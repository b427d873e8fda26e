"""Endpoints: model servers that respond to InvokeEndpoint, and their configurations."""
