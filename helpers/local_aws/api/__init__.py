"""The SageMaker API as such: shapes of requests, errors, pages of lists."""
