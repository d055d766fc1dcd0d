"""Whether an effect survives trends that were not parallel, and what a pre-trend test could see."""
