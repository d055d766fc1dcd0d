"""The restricted likelihood of mixed models, and the search for its maximum."""
