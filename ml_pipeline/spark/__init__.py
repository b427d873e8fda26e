"""What Spark event logs say about executions."""
