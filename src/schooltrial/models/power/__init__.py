"""Power, and the smallest effect that a design can detect."""
