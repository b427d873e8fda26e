"""Common parts of all kinds of jobs: status, slots, folders, logs, and data in S3."""
