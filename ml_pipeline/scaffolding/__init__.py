"""Creates the files of new pipelines and steps, and edits the files of a fork for `make init`."""
