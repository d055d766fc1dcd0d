"""Which rows are kept, in which order, how they are matched, and how categories are coded."""
