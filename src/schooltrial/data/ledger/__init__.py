"""The ledger: every school and person that left the sample, and why."""
