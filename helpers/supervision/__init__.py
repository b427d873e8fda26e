"""Commands that end with the process that started them, and leave no child process behind."""
