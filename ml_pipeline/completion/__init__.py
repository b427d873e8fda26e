"""Completion of `make` in bash, zsh and fish: targets, their variables, and the values of these.

The scripts of the shells ask one program, `python -m ml_pipeline.completion`, so they all offer the same.
"""
