"""The common parts of the SageMaker API: operations, request shapes, errors, tags and paginated lists."""
