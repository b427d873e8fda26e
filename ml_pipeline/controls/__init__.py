"""The controls that every step of a definition must have."""
