"""Events of SageMaker on their way to EventBridge rules, and the pipelines that these start."""
