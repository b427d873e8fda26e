"""Validates the input of SageMaker's built-in XGBoost, with the messages of the image."""
