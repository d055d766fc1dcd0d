"""Which rows are kept, in which order, and how categories are coded."""
