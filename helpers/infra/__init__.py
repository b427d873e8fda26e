"""Networking, tags and CloudFormation stacks."""
