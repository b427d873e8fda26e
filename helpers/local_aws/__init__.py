"""The embedded AWS: moto on loopback, with an execution plane for SageMaker that really runs the jobs.

Nothing outside of this package imports it: programs reach it by its endpoint, as they reach AWS.
"""
