"""One door per estimator: from a model of the protocol to its fits, rows and diagnostics."""
