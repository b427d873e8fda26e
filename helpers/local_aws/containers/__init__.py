"""Common parts of job containers: the job to run, and the file system."""
