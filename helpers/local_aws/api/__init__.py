"""The SageMaker API as such: operations, shapes of requests, errors, tags, pages of lists."""
