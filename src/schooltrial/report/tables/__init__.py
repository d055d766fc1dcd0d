"""The checks, as readers see them."""
