"""Shell completion of `make` in bash, zsh and fish: targets, variables and their values.

The scripts of all shells run `python -m ml_pipeline.completion`, so that they offer the same candidates.
"""
