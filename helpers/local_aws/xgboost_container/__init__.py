"""The built-in XGBoost: implements the contract of SageMaker's image with the same version of xgboost.

`container` and `environment` belong to the embedded AWS. The other modules run in a process of the
environment that `make` installs from requirements-xgboost.txt, and import nothing else of the embedded AWS.

The checks, their messages and their order follow github.com/aws/sagemaker-xgboost-container.
"""
