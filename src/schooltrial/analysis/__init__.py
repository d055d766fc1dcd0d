"""From the protocol's models and the sample to rows of the long estimates table."""
