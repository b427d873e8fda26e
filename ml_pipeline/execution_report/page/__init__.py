"""Renders the report as a self-contained HTML page. This package does not use AWS."""

from ml_pipeline.execution_report.page.page import render

__all__ = ["render"]
