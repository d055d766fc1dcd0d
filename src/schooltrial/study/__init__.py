"""A study on disk: where its files are, and what is read of them."""
