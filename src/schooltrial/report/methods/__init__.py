"""How it was found: estimands, models, checks and the symbols of their equations."""
