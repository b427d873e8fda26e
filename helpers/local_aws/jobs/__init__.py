"""What all kinds of jobs share: their states, slots and folders, their log, their data in S3."""
