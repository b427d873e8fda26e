"""Where jobs run: subnets and security groups."""
