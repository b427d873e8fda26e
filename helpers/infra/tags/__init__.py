"""Tags of AWS resources."""
