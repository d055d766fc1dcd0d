"""From raw files to standard tables, and from these to the sample that is analysed."""
