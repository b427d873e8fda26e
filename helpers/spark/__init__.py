"""Spark on SageMaker: sized from the cluster, chosen by cost and deadline, tuned from its own event logs."""
