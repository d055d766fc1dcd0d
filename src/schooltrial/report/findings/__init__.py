"""What was found: effects in numbers and words, and how they compare with one another."""
