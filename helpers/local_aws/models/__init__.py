"""Models: artifacts and the container that serves them."""
