"""What Spark event logs show about executions."""
