"""Versions of a pipeline: staged code, registration, history, rollback, removal."""
