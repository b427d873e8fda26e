"""Hyperparameter tuning: training jobs with other hyperparameters each, of which the best is found."""
