"""What the raw data hold, and what is odd about them."""
