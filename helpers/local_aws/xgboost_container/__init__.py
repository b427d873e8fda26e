"""The built-in XGBoost: the contract of SageMaker's image around the xgboost that is in it.

`container` and `environment` belong to the embedded AWS. All else runs in a process of the environment that
`make` installs from requirements-xgboost.txt, and imports nothing of the embedded AWS but its like here.

What is checked, in which words and in which order follows github.com/aws/sagemaker-xgboost-container.
"""
