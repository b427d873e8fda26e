"""Whether a role may do what it asks for, by the policies that it and what it asks for have."""
