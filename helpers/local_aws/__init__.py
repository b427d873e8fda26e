"""The embedded AWS: moto on loopback, with an execution plane for SageMaker that runs the jobs.

No code outside this package imports it: programs connect to its endpoint, as they connect to AWS.
"""
