"""Authorization: decides whether the policies of a role and of a resource allow a request."""
