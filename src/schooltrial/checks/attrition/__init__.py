"""Who was lost, from which arm, and what it can do to the estimate."""
