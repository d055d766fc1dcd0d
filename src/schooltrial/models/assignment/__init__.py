"""Designs of random assignment, and assignments drawn from them."""
