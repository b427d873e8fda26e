"""The network of jobs: subnets and security groups."""
