"""Changes of two groups of schools, adjusted by regression, weighting or both."""
