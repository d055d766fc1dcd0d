"""What a study does not show: limits, limitations, and gaps before the programme."""
