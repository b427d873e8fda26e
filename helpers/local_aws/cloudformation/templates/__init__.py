"""Templates: their text, transform, parameters, functions, and what is wrong with them."""
