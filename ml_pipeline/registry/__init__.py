"""The versions of a model in the registry: which one is active, their approval, and how they compare."""

from ml_pipeline.registry.packages import Baselines, Package, champion, list_packages

__all__ = ["Baselines", "Package", "champion", "list_packages"]
