"""What SageMaker's image of the built-in XGBoost accepts, in the words of the image."""
