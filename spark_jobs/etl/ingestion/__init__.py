"""Ingestion of delimited text against a declared schema: check, quarantine, write, report.

Spark divides the input among its cores. Each task reads its part, checks and writes it with Polars.
"""
