"""Effect sizes, and their meaning in months and percentiles."""
