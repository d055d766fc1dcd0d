"""Panel models under trends that were not parallel: bounds, placebos, and parts left out."""
