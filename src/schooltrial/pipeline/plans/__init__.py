"""Plans: their record, their words, by which results were made, and what fits warn of."""
