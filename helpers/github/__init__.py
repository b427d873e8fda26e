"""Comments, issues and settings on GitHub, through its REST API."""
