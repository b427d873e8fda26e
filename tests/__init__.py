"""A package, so that tests share modules whatever else is installed under this name."""
