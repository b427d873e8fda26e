"""Plans, cost estimates and drift."""
