"""What this repository depends on: known vulnerabilities, and the bill of materials."""
