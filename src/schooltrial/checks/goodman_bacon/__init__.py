"""Which comparisons of cohorts the two-way effect of a staggered programme averages."""
