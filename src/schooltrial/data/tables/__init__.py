"""From cells to the standard tables of a study."""
