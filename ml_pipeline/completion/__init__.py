"""Shell completion of `make` in bash, zsh and fish: targets, variables and their values.

The scripts of the shells ask one program, `python -m ml_pipeline.completion`, so they all offer the same.
"""
