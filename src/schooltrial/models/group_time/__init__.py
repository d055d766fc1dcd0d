"""Group-time effects: panel, cells, their averages, and what each school weighs in them."""
