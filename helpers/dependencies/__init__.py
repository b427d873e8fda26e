"""The dependencies of this repository: known vulnerabilities, and the bill of materials."""
