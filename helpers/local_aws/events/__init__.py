"""Events of SageMaker, their delivery to EventBridge rules, and the pipelines that rules start."""
