"""A package, so that tests can share modules even if another package of this name is installed."""
