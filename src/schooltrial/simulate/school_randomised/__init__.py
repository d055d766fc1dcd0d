"""A simulated trial of randomised schools."""
