"""Models that an analyst writes as a formula, fitted to a data frame."""
