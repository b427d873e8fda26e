"""Forks of the template: optional parts, the recorded version, and upgrades."""
