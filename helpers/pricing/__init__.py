"""Prices for estimates: a dated data file, and its update from the AWS Price List API.

What is computed from them is an estimate. A price that the file does not have is unknown, never guessed.
"""

from helpers.pricing.prices import PRICES, InstanceHours, Price, Prices, load_prices

__all__ = ["PRICES", "InstanceHours", "Price", "Prices", "load_prices"]
