"""What containers of jobs have in common: the job that they run, and their file system."""
