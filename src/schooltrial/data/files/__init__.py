"""From a raw file to the texts of its cells."""
