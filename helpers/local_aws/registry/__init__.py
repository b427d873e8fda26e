"""The model registry: model package groups, and the versions and approval of their packages."""
