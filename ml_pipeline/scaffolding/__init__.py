"""The files of new pipelines and steps: code to start from, with a test that passes."""
