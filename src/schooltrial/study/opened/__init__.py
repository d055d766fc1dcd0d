"""A study as an analyst opens it: its models, refits, comparisons and small tables."""
