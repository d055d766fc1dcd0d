"""Who was lost, from which group, and what it can do to the estimate."""
