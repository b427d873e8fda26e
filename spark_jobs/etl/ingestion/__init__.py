"""Ingests delimited text with a declared schema: validates, quarantines, writes and reports.

Spark divides the input among its cores. Each task reads, validates and writes its part with Polars.
"""
