"""A simulated lottery within schools."""
