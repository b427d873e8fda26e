"""The model registry: groups of model packages, their versions and the approval of these."""
