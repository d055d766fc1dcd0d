"""What a user asks of a study: run it, check it, and be told how it went."""
