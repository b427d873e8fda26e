"""A fork and its template: which version it was made from, and the way to a later one."""
