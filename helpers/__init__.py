"""Infrastructure, GitHub, the embedded AWS, and the code that all commands share."""
