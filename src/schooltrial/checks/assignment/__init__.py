"""Whether the trial was randomised as its design says."""
