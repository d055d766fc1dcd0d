"""The mechanics of ordinary and weighted least squares."""
