"""Known vulnerabilities of dependencies, and the software bill of materials."""
