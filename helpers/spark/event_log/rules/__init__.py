"""The rules, each a function from a profile to findings."""
