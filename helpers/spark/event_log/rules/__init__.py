"""The rules: each reads a profile and yields findings."""
