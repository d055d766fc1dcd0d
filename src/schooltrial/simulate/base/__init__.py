"""What the simulated trials of all designs share."""
