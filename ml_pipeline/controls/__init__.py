"""Checks the security controls of the steps of a pipeline definition."""
