"""The report: one page whose every number comes from a file of the results."""
