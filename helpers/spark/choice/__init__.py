"""Which instances, and how many, for some data and a deadline: `python -m helpers.spark.choice`."""
