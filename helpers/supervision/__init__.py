"""Commands that end with whoever started them, and leave no process behind."""
