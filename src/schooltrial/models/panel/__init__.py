"""Schools by year: difference-in-differences and staggered adoption."""
