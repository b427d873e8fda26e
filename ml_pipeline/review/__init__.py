"""Plans, cost estimates, drift, and the checks of `make doctor`."""
