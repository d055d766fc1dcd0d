"""What a user asks of a study: run it, check it, and follow how far it is."""
