"""The report as one self-contained HTML page; it knows the model and nothing of AWS."""

from ml_pipeline.execution_report.page.page import render

__all__ = ["render"]
