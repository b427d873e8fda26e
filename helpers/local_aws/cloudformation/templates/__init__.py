"""Templates: text, transforms, parameters, functions and validation."""
