"""A fork and its template: the template's version, and upgrades."""
