"""Spark on SageMaker: sizing, choice of instances by cost and deadline, and tuning from event logs."""
