"""Schools by year: means of pupils, and published values."""
