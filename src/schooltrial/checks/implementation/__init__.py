"""What was delivered, to whom, and at what cost."""
