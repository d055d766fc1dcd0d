"""The sample that is analysed."""
