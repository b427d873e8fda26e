"""Hyperparameter tuning: runs training jobs with different hyperparameters and finds the best one."""
